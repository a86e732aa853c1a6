/**
 * Every operation of the ECR API as authorization sees it: what it asks permission on, and the least input that reaches its
 * handler. The inputs change nothing that another call depends on, so that each can be sent any number of times; an operation of
 * the model that is missing here does not compile.
 */
import type { ECR } from '@aws-sdk/client-ecr'
import type { Operations } from '#ecr/model.ts'

export type OperationName = keyof Operations

/** What a call is about. */
export interface Target {
  readonly registryId: string
  readonly region: string
  readonly repositoryName: string
}

interface Case<Input> {
  /** Of which the caller must be allowed to: one repository, all of a registry, or `*` for what is none. */
  readonly resource: 'repository' | 'repository/*' | '*'
  /** Whether a call can be about the registry of another account. */
  readonly crosses: boolean
  readonly input: (target: Target) => Input
}

export type OperationCase = Case<object>

type Input<Name extends OperationName> = Parameters<ECR[Uncapitalize<Name>]>[0]

type Cases = { readonly [Name in OperationName]: readonly Case<Input<Name>>[] }

export const layerDigest = `sha256:${'1'.repeat(64)}`
const imageId = { imageDigest: `sha256:${'2'.repeat(64)}` }
const uploadId = '00000000-0000-4000-8000-000000000000'
const principalArn = 'arn:aws:iam::000000000000:role/scanner'
const rulePrefix = { ecrRepositoryPrefix: 'matrix' }

function inRepository<Rest extends object>(rest: Rest) {
  return {
    ...({ resource: 'repository', crosses: true } as const),
    input: ({ registryId, repositoryName }: Target) => ({ registryId, repositoryName, ...rest }),
  }
}

function byArn<Rest extends object>(rest: Rest) {
  return {
    ...({ resource: 'repository', crosses: true } as const),
    input: (target: Target) => ({ resourceArn: repositoryArn(target), ...rest }),
  }
}

/** Of operations whose input names no registry, so that it is the caller's own. */
function inOwnRegistry<Rest extends object>(rest: Rest) {
  return { ...({ resource: '*', crosses: false } as const), input: () => rest }
}

function inRegistry<Rest extends object>(rest: Rest) {
  return {
    ...({ resource: '*', crosses: true } as const),
    input: ({ registryId }: Target) => ({ registryId, ...rest }),
  }
}

export const cases: Cases = {
  BatchCheckLayerAvailability: [inRepository({ layerDigests: [layerDigest] })],
  BatchDeleteImage: [inRepository({ imageIds: [imageId] })],
  BatchGetImage: [inRepository({ imageIds: [imageId] })],
  BatchGetRepositoryScanningConfiguration: [
    { resource: 'repository', crosses: false, input: ({ repositoryName }) => ({ repositoryNames: [repositoryName] }) },
  ],
  CompleteLayerUpload: [inRepository({ uploadId, layerDigests: [layerDigest] })],
  CreatePullThroughCacheRule: [inRegistry({ ...rulePrefix, upstreamRegistryUrl: 'nowhere.test' })],
  CreateRepository: [inRepository({})],
  CreateRepositoryCreationTemplate: [inOwnRegistry({ prefix: 'matrix', appliedFor: ['REPLICATION'] })],
  DeleteLifecyclePolicy: [inRepository({})],
  DeletePullThroughCacheRule: [inRegistry(rulePrefix)],
  DeleteRegistryPolicy: [inOwnRegistry({})],
  // Which holds images.
  DeleteRepository: [inRepository({})],
  DeleteRepositoryCreationTemplate: [inOwnRegistry({ prefix: 'matrix' })],
  DeleteRepositoryPolicy: [inRepository({})],
  DeleteSigningConfiguration: [inOwnRegistry({})],
  DeregisterPullTimeUpdateExclusion: [inOwnRegistry({ principalArn })],
  DescribeImageReplicationStatus: [inRepository({ imageId })],
  DescribeImageScanFindings: [inRepository({ imageId })],
  DescribeImageSigningStatus: [inRepository({ imageId })],
  DescribeImages: [inRepository({})],
  DescribePullThroughCacheRules: [inRegistry({})],
  DescribeRegistry: [inOwnRegistry({})],
  DescribeRepositories: [
    {
      ...{ resource: 'repository', crosses: true },
      input: ({ registryId, repositoryName }) => ({ registryId, repositoryNames: [repositoryName] }),
    },
    { resource: 'repository/*', crosses: true, input: ({ registryId }) => ({ registryId }) },
  ],
  DescribeRepositoryCreationTemplates: [inOwnRegistry({})],
  GetAccountSetting: [inOwnRegistry({ name: 'BLOB_MOUNTING' })],
  GetAuthorizationToken: [inOwnRegistry({})],
  GetDownloadUrlForLayer: [inRepository({ layerDigest })],
  GetLifecyclePolicy: [inRepository({})],
  GetLifecyclePolicyPreview: [inRepository({})],
  GetRegistryPolicy: [inOwnRegistry({})],
  GetRegistryScanningConfiguration: [inOwnRegistry({})],
  GetRepositoryPolicy: [inRepository({})],
  GetSigningConfiguration: [inOwnRegistry({})],
  InitiateLayerUpload: [inRepository({})],
  ListImageReferrers: [inRepository({ subjectId: imageId })],
  ListImages: [inRepository({})],
  ListPullTimeUpdateExclusions: [inOwnRegistry({})],
  ListTagsForResource: [byArn({})],
  PutAccountSetting: [inOwnRegistry({ name: 'BLOB_MOUNTING', value: 'ENABLED' })],
  PutImage: [inRepository({ imageManifest: '{}' })],
  PutImageScanningConfiguration: [inRepository({ imageScanningConfiguration: { scanOnPush: false } })],
  PutImageTagMutability: [inRepository({ imageTagMutability: 'MUTABLE' })],
  // No policy, of either kind: what the tests put stays.
  PutLifecyclePolicy: [inRepository({ lifecyclePolicyText: '{"rules":0}'.padStart(100) })],
  PutRegistryPolicy: [inOwnRegistry({ policyText: '{}' })],
  PutRegistryScanningConfiguration: [inOwnRegistry({ scanType: 'BASIC', rules: [] })],
  PutReplicationConfiguration: [inOwnRegistry({ replicationConfiguration: { rules: [] } })],
  PutSigningConfiguration: [inOwnRegistry({ signingConfiguration: { rules: [] } })],
  RegisterPullTimeUpdateExclusion: [inOwnRegistry({ principalArn })],
  SetRepositoryPolicy: [inRepository({ policyText: '{}' })],
  StartImageScan: [inRepository({ imageId })],
  StartLifecyclePolicyPreview: [inRepository({})],
  TagResource: [byArn({ tags: [{ Key: 'k', Value: 'v' }] })],
  UntagResource: [byArn({ tagKeys: ['k'] })],
  UpdateImageStorageClass: [inRepository({ imageId, targetStorageClass: 'ARCHIVE' })],
  UpdatePullThroughCacheRule: [inRegistry(rulePrefix)],
  UpdateRepositoryCreationTemplate: [inOwnRegistry({ prefix: 'matrix' })],
  UploadLayerPart: [inRepository({ uploadId, partFirstByte: 0, partLastByte: 0, layerPartBlob: new Uint8Array([0]) })],
  ValidatePullThroughCacheRule: [inRegistry(rulePrefix)],
}

export function repositoryArn({ registryId, region, repositoryName }: Target, name = repositoryName): string {
  return `arn:aws:ecr:${region}:${registryId}:repository/${name}`
}

/** As decisions and policies name it. */
export function resourceOf({ resource }: OperationCase, target: Target): string {
  if (resource === '*') return '*'
  return repositoryArn(target, resource === 'repository' ? target.repositoryName : '*')
}

/** The call of an operation by its name. */
export function callOf(ecr: ECR, name: OperationName, input: object): Promise<unknown> {
  // Each operation of the model is a method of the client, which the table's types tie to that operation's input.
  const methods = ecr as unknown as Record<string, (input: object) => Promise<unknown>>
  const method = methods[`${name.charAt(0).toLowerCase()}${name.slice(1)}`]
  if (method === undefined) throw new Error(`the SDK has no ${name}`)
  return method.call(ecr, input)
}
