import type { HandlerRequest, Handlers } from '#aws/operation.ts'
import { parsePageToken, printPageToken } from '#lib/page.ts'
import { type LifecyclePolicy, parseLifecyclePolicy } from '#lifecycle/policy.ts'
import type { WhatIf, WhatIfs } from '#lifecycle/what-if.ts'
import type { WhatIfImage, WhatIfVerdict } from '#lifecycle/what-if-images.ts'
import type { WhatIfSummary } from '#lifecycle/what-if-rows.ts'
import { repositoryArn } from '#names/arn.ts'
import { reasonText } from '#wording/lifecycle-reasons.ts'
import type * as wire from './model.ts'
import type { Operations } from './model.ts'
import { refuse } from './refusals.ts'

export interface LifecycleParts {
  readonly whatIfs: WhatIfs
}

const usualLimit = 100

/** What a lifecycle policy would do, beyond what ECR's preview tells. */
export function lifecycleOperations({ whatIfs }: LifecycleParts) {
  /** The one that the token goes on with, or a new one. */
  async function open(request: HandlerRequest<wire.PreviewLifecycleRequest>, scope: readonly unknown[]) {
    const { nextToken, repositoryName: name, lifecyclePolicyText } = request.input
    const key = { registry: request.registry, name }
    if (nextToken === undefined) {
      return { whatIf: await whatIfs.make(key, lifecyclePolicyText, request.signal), after: undefined }
    }
    const [id, position = ''] = parsePageToken(scope, nextToken, 2) ?? []
    if (id === undefined || !/^\d{1,9}$/.test(position)) throw refuse('PageTokenInvalid', {})
    return { whatIf: await whatIfs.get(key, id), after: Number(position) }
  }

  return {
    PreviewLifecycle: {
      resource: ({ input, registry }) => repositoryArn(registry, input.repositoryName),
      also: () => ['ecr:StartLifecyclePolicyPreview'],
      handle: async (request) => {
        const { input, registry } = request
        const { repositoryName, verdicts, maxResults: limit = usualLimit } = input
        const scope = ['PreviewLifecycle', registry, repositoryName, verdicts]
        const { whatIf, after } = await open(request, scope)
        const page = { verdicts: verdicts?.map((verdict) => verdictsByName[verdict]), limit, after }
        const { items, next } = await whatIfs.list(whatIf, page)
        const { summary } = whatIf
        const policy = parseLifecyclePolicy(summary.text)
        return {
          ...{ registryId: registry.account, repositoryName, lifecyclePolicyText: summary.text },
          summary: describeSummary(summary),
          images: items.map((image) => describeImage(image, policy, whatIf)),
          nextToken: next === undefined ? undefined : printPageToken(scope, [whatIf.id, String(next)]),
        }
      },
    },
  } satisfies Handlers<Operations, 'PreviewLifecycle'>
}

const verdictsByName = {
  EXPIRE: 'expire',
  ARCHIVE: 'archive',
  BLOCKED: 'blocked',
  KEEP: 'keep',
} as const satisfies Record<wire.LifecycleVerdict, WhatIfVerdict>

const namesOfVerdicts = { expire: 'EXPIRE', archive: 'ARCHIVE', blocked: 'BLOCKED', keep: 'KEEP' } as const

const namesOfSides = { draft: 'DRAFT', 'in force': 'IN_FORCE', both: 'BOTH' } as const

function describeSummary({ counts, difference, ...summary }: WhatIfSummary): wire.LifecyclePreviewSummary {
  return {
    draft: summary.draft,
    evaluatedAt: new Date(summary.now),
    imageCount: counts.expire + counts.archive + counts.blocked + counts.keep,
    ...{ expireCount: counts.expire, archiveCount: counts.archive, blockedCount: counts.blocked },
    keepCount: counts.keep,
    expiringSizeInBytes: summary.heldBytes,
    freedSizeInBytes: summary.freedBytes,
    recycleBinDays: summary.recycleBinDays,
    difference: difference && {
      draftCount: difference.draft,
      inForceCount: difference.inForce,
      bothCount: difference.both,
    },
  }
}

function describeImage(
  image: WhatIfImage,
  { rules }: LifecyclePolicy,
  { summary }: WhatIf,
): wire.LifecyclePreviewImage {
  const { pulledAt, goesUnder } = image
  const rule = rules.find(({ priority }) => priority === image.priority)
  return {
    imageDigest: image.digest,
    imageTags: image.tags,
    imageSizeInBytes: image.sizeBytes,
    imagePushedAt: new Date(image.pushedAt),
    lastRecordedPullTime: pulledAt === undefined ? undefined : new Date(pulledAt),
    verdict: namesOfVerdicts[image.verdict],
    rulePriority: rule?.priority,
    ruleDescription: rule?.description,
    reason: reasonText(image, rule, summary.now),
    subjectDigest: image.subject,
    indexDigests: image.indexes,
    inUseBy: image.inUseBy?.map(({ cluster, until }) => ({ cluster, until: new Date(until) })),
    goesUnder: goesUnder && namesOfSides[goesUnder],
  }
}
