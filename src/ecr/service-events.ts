import { createHash } from 'node:crypto'
import type { Acted, Blocked, PolicyExecution } from '#lifecycle/execution.ts'
import type { LifecycleRule } from '#lifecycle/policy.ts'
import { repositoryArn } from '#names/arn.ts'
import type { ImagesRestored } from '#registry/announcements.ts'
import type { BlobDamage, ManifestDamage } from '#registry/scrub/jobs.ts'
import type { CacheAction } from '#upstream/cache-actions.ts'
import type { Eviction } from '#upstream/eviction.ts'
import { registryTexts } from '#wording/registry.ts'

/**
 * The events that ECR writes of what it does of itself, in its own form (ECR user guide, "Logging Amazon ECR actions with AWS
 * CloudTrail", "Example: Image lifecycle policy action").
 */

/**
 * Of our own, in the same form: for each registry that has damaged content, where it is needed. A layer may be in any number of
 * repositories, so that there is one event for some of them.
 */
const repositoriesAnEvent = 50

export function damageEvents({ digest, problem, repositories, at }: BlobDamage | ManifestDamage) {
  const registries = Map.groupBy(repositories, ({ registry: { account, region } }) => `${account} ${region}`)
  return [...registries.values()].flatMap((those) =>
    partsOf(those, repositoriesAnEvent).flatMap((some) => {
      const [first] = some
      if (first === undefined) return []
      return {
        ...first.registry,
        eventName: problem === 'manifest' ? 'ManifestDamaged' : 'BlobQuarantined',
        resources: some.map(({ registry, name }) => repositoryArn(registry, name)),
        details: {
          digest,
          ...(problem !== 'manifest' && { problem }),
          repositories: some.map(({ name, images }) => ({ repositoryName: name, imageDigests: images })),
        },
        at,
      }
    }),
  )
}

/** Of our own as well: an image with many children may go at once. */
const evictedAnEvent = 50

export function evictionEvents({ rule, repository: { registry, name }, images, at }: Eviction) {
  return partsOf(images, evictedAnEvent).map((some) => ({
    ...registry,
    eventName: 'CachedImagesEvicted',
    resources: [repositoryArn(registry, name)],
    details: {
      ecrRepositoryPrefix: rule.prefix,
      repositoryName: name,
      images: some.map(({ digest, tags }) => ({ imageDigest: digest, imageTags: tags.slice(0, tagsAnImage) })),
    },
    at,
  }))
}

/** Ten and more images come in several events. */
const imagesAnEvent = 9
const tagsAnImage = 100

/** A preview has the same form, and is a `DryRunEvent`. */
export function policyExecutionEvents(
  execution: PolicyExecution,
  eventName: 'PolicyExecutionEvent' | 'DryRunEvent' = 'PolicyExecutionEvent',
) {
  const { repository, actions, failures, at } = execution
  const { registry, name } = repository
  const lifecycleEventPolicy = describePolicy(execution)
  const images = [
    ...actions.map((acted) => ({ action: describeAction(acted), failure: undefined })),
    ...failures.map((blocked) => ({ action: undefined, failure: describeFailure(blocked) })),
  ]
  return partsOf(images, imagesAnEvent).map((some) => ({
    ...registry,
    eventName,
    resources: [repositoryArn(registry, name)],
    details: {
      repositoryName: name,
      lifecycleEventPolicy,
      lifecycleEventImageActions: some.flatMap(({ action }) => action ?? []),
      lifecycleEventFailureDetails: some.flatMap(({ failure }) => failure ?? []),
    },
    at,
  }))
}

/** Of each image that came back from the archive (ECR user guide, "Example: Image restore action"). */
export function activationEvents({ repository: { registry, name }, digests, at }: ImagesRestored) {
  return digests.map((digest) => ({
    ...registry,
    eventName: 'ImageActivationEvent',
    resources: [repositoryArn(registry, name)],
    details: {
      ...{ repositoryName: name, imageDigest: digest, targetStorageClass: 'STANDARD' },
      ...{ result: 'SUCCESS', imageStatus: 'ACTIVE' },
    },
    at,
  }))
}

function partsOf<T>(list: readonly T[], most: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / most) }, (_, part) => list.slice(part * most, (part + 1) * most))
}

function describePolicy({ policy, text, lastEvaluatedAt }: PolicyExecution) {
  return {
    lifecycleEventRules: policy.rules.map(describeRule),
    lastEvaluatedAt: lastEvaluatedAt ?? 0,
    policyVersion: 1,
    policyId: idOf(text),
  }
}

/** A policy has no id here: those of one text are the same. */
function idOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5')
}

const tagStatuses = { any: 'Any', tagged: 'Tagged', untagged: 'Untagged' } as const
/** The guide shows the first; the others are in its manner. */
const countTypes = {
  imageCountMoreThan: 'Image count more than',
  sinceImagePushed: 'Since image pushed',
  sinceImagePulled: 'Since image pulled',
  sinceImageTransitioned: 'Since image transitioned',
} as const

function describeRule({ priority, description, tags, countType, countNumber, action }: LifecycleRule) {
  return {
    rulePriority: priority,
    ...(description !== undefined && { description }),
    lifecycleEventSelection: {
      tagStatus: tagStatuses[tags.status],
      tagPrefixList: tags.status === 'tagged' && tags.by === 'prefix' ? tags.entries : [],
      ...(tags.status === 'tagged' && tags.by === 'pattern' && { tagPatternList: tags.entries }),
      countType: countTypes[countType],
      countNumber,
    },
    action,
  }
}

function describeAction({ image, rule }: Acted) {
  const { digest, tags, pushedAt } = image
  const lifecycleEventImage = {
    digest,
    tagStatus: tagStatuses[tags.length === 0 ? 'untagged' : 'tagged'],
    tagList: tags.slice(0, tagsAnImage),
    pushedAt,
  }
  return { lifecycleEventImage, rulePriority: rule.priority }
}

/** What is in use is nothing of ECR's. */
function describeFailure(blocked: Blocked) {
  const { image, indexes, inUseBy } = blocked
  const why =
    indexes.length > 0
      ? {
          failureCode: 'ImageReferencedByManifestList',
          failureReason: registryTexts.ImageReferencedByIndex({ indexes }),
        }
      : { failureCode: 'ImageInUse', failureReason: registryTexts.ImageInUse({ digest: image.digest, inUseBy }) }
  return { ...describeAction(blocked), ...why }
}

/**
 * What the cache did with an image of an upstream, with the members that ECR's event has (user guide, "Amazon ECR events and
 * EventBridge", "Event for a pull through cache action").
 */
export function cacheActionEvent({ key: { registry, name }, rule, tag, digest, failure, at }: CacheAction) {
  return {
    ...registry,
    eventName: 'ECR Pull Through Cache Action',
    resources: [repositoryArn(registry, name)],
    details: {
      'rule-version': '1',
      'sync-status': failure === undefined ? 'SUCCESS' : 'FAILED',
      'ecr-repository-prefix': rule.prefix,
      'repository-name': name,
      'upstream-registry-url': rule.upstreamUrl,
      ...(tag !== undefined && { 'image-tag': tag }),
      ...(digest !== undefined && { 'image-digest': digest }),
      ...(failure !== undefined && { 'failure-code': failure.code, 'failure-reason': failure.reason }),
    },
    at,
  }
}
