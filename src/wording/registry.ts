import type { Uses } from '#registry/in-use.ts'
import type { InRepository, Quota, RegistryRefusals, StorageQuota } from '#registry/refusals.ts'

/** What a quota counts, and in what smaller than the repository or the registry. */
const countedThings: Record<Quota, readonly [counted: string, where: string]> = {
  repositories: ['repositories', ''],
  images: ['images', ''],
  tags: ['tags', 'an image of '],
  layerParts: ['layer parts', 'an upload to '],
  pullTimeUpdateExclusions: ['pull time update exclusions', ''],
  repositoryCreationTemplates: ['repository creation templates', ''],
  pullThroughCacheRules: ['pull through cache rules', ''],
  webhooks: ['webhooks', ''],
}

const makeRoom =
  'Delete images that are not needed, and purge them from the recycle bin, or ask the operator to raise the quota in LADING_QUOTAS'

/** What a storage quota counts, and the way out. Ours: ECR has none. */
const storageTexts: Record<StorageQuota, readonly [counted: string, out: string]> = {
  openUploads: ['open uploads', 'Complete or cancel uploads, or try again once abandoned ones have ended'],
  openUploadBytes: ['bytes of open uploads', 'Complete or cancel uploads, or try again once abandoned ones have ended'],
  bytesPerRegistry: ['bytes of layers, manifests and open uploads', makeRoom],
  bytesPerAccount: ['bytes of layers, manifests and open uploads of all regions', makeRoom],
}

/**
 * ECR's texts for the refusals of the registry that both planes show, literally: clients match on them. Sources are the ECR API
 * reference and recorded answers; where AWS's text is not known, one in the same style.
 */
export const registryTexts = {
  RepositoryNotFound: notFound,

  TemplateRoleMissing: ({ prefix, ...where }) =>
    `${notFound(where)}, and cannot be created: the repository creation template with prefix '${prefix}' has resource tags or KMS encryption, and needs a customRoleArn for that`,

  QuotaExceeded: ({ quota, limit, repository, registry }) => {
    const [counted, where] = countedThings[quota]
    const within = repository === undefined ? '' : `the repository with name '${repository}' in `
    return `The maximum number of ${counted}, ${limit}, has been reached in ${where}${within}the registry with id '${registry.account}'`
  },

  StorageQuotaExceeded: ({ quota, limit, repository, registry: { account, region } }) => {
    const [counted, out] = storageTexts[quota]
    const within = repository === undefined ? '' : `the repository with name '${repository}' in `
    const of = quota === 'bytesPerAccount' ? `the account ${account}` : `the registry with id '${account}' in ${region}`
    return `The maximum number of ${counted}, ${limit}, has been reached in ${within}${of} (quota ${quota}). ${out}.`
  },

  ManifestDigestMismatch: ({ given, repository, registry }: InRepository & { readonly given: string }) =>
    `The image with digest '${given}' in repository '${repository}' and registry ID '${registry.account}' does not match the image digest that Amazon ECR has calculated.`,

  ReferencedBlobsMissing: ({ digests, repository, registry }) =>
    `Layers with digests '${listDigests(digests)}' required for pushing image into repository with name '${repository}' in the registry with id '${registry.account}' do not exist`,

  ReferencedManifestsMissing: ({ digests, repository, registry }) =>
    `Images with digests '${listDigests(digests)}' required for pushing image into repository with name '${repository}' in the registry with id '${registry.account}' do not exist`,

  TagImmutable: ({ tag, repository }) =>
    `The image tag '${tag}' already exists in the '${repository}' repository and cannot be overwritten because the tag is immutable.`,

  // Base images may be referred to by any number of indexes.
  ImageReferencedByIndex: ({ indexes }: { readonly indexes: readonly string[] }) =>
    `Requested image referenced by manifest list: [${indexes.slice(0, 10).join(', ')}]`,

  // Ours: ECR knows of nothing that runs.
  ImageInUse: ({ digest, inUseBy }: { readonly digest: string; readonly inUseBy: Uses }) =>
    `Requested image ${digest} is in use: ${usesText(inUseBy)}`,

  BlobNotFound: ({ digest, repository, registry }: InRepository & { readonly digest: string }) =>
    `The layer with digest ${digest} does not exist within the repository with name '${repository}' in the registry with id '${registry.account}'`,

  UploadNotFound: ({ upload, repository, registry }) =>
    `The upload with uploadId '${upload}' does not exist within the repository with name '${repository}' in the registry with id '${registry.account}'`,

  UploadDigestMismatch: () => 'None of the provided layer digests match the calculated layer digest',
} as const satisfies { readonly [Code in keyof RegistryRefusals]?: (facts: RegistryRefusals[Code]) => string }

/** Who runs an image, and until when that counts unless it is reported again. */
export function usesText(uses: Uses): string {
  const named = uses
    .slice(0, 3)
    .map(({ cluster, until }) => `cluster '${cluster}' until ${new Date(until).toISOString()}`)
  return `${named.join(', ')}${uses.length > 3 ? ` and ${uses.length - 3} more` : ''}`
}

function notFound({ repository, registry }: InRepository): string {
  return `The repository with name '${repository}' does not exist in the registry with id '${registry.account}'`
}

/** Enough of them to see what is wrong. */
function listDigests(digests: readonly string[]): string {
  const named = `[${digests.slice(0, 10).join(', ')}]`
  return digests.length > 10 ? `${named} and ${digests.length - 10} more` : named
}
