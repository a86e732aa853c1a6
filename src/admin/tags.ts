import type { Handlers } from '#aws/operation.ts'
import type { Clock } from '#lib/clock.ts'
import { repositoryArn } from '#names/arn.ts'
import { parseDigest } from '#names/digest.ts'
import { parseTag } from '#names/tag.ts'
import type { PastImageState, RecordedTagMove, TagHistory } from '#registry/tag-history.ts'
import type { TagMoveCause } from '#registry/tag-moves.ts'
import type { RollbackRequest, TagRollback } from '#registry/tag-rollback.ts'
import type * as wire from './model.ts'
import type { Operations } from './model.ts'
import { openPage } from './paging.ts'
import { refuse } from './refusals.ts'

export interface TagParts {
  readonly tagHistory: TagHistory
  readonly tagRollback: TagRollback
  readonly clock: Clock
}

/** What tags pointed to, and pointing them there again. */
export function tagOperations({ tagHistory, tagRollback, clock }: TagParts) {
  return {
    ListTagMoves: {
      resource: ({ input, registry }) => repositoryArn(registry, input.repositoryName),
      handle: async ({ input, registry }) => {
        const { repositoryName: name, imageTag } = input
        const page = openPage(input, ['ListTagMoves', registry, name, imageTag], 1)
        const [after] = page.after ?? []
        if (after !== undefined && !/^\d{1,15}$/.test(after)) throw refuse('PageTokenInvalid', {})
        const { items, next } = await tagHistory.list(
          { registry, name },
          {
            tag: imageTag === undefined ? undefined : parseTag(imageTag),
            limit: page.limit,
            after: after === undefined ? undefined : Number(after),
          },
        )
        return {
          ...{ registryId: registry.account, repositoryName: name, tagMoves: items.map(describeMove) },
          nextToken: page.nextToken(next === undefined ? undefined : [String(next)]),
        }
      },
    },

    GetTagAt: {
      resource: ({ input, registry }) => repositoryArn(registry, input.repositoryName),
      handle: async ({ input, registry }) => {
        const { repositoryName: name, imageTag, at = new Date(clock()) } = input
        requirePast(at, clock())
        const { move, state } = await tagHistory.at({ registry, name }, parseTag(imageTag), at.getTime())
        return {
          ...{ registryId: registry.account, repositoryName: name, imageTag, at, imageDigest: move?.to },
          imageState: state && namesOfStates[state],
          lastMove: move && describeMove(move),
        }
      },
    },

    RollbackTag: {
      resource: ({ input, registry }) => repositoryArn(registry, input.repositoryName),
      also: () => ['ecr:PutImage'],
      handle: async ({ input, registry, principal }) => {
        const { repositoryName: name, imageTag } = input
        if (input.at !== undefined) requirePast(input.at, clock())
        const request = { to: destinationOf(input), by: principal.arn }
        const { from, to } = await tagRollback.rollBack({ registry, name }, parseTag(imageTag), request)
        return {
          ...{ registryId: registry.account, repositoryName: name, imageTag },
          ...{ previousImageDigest: from, imageDigest: to },
        }
      },
    },
  } satisfies Handlers<Operations, 'ListTagMoves' | 'GetTagAt' | 'RollbackTag'>
}

/** @throws Refusal `TimeAhead` */
function requirePast(at: Date, now: number): void {
  if (at.getTime() > now) throw refuse('TimeAhead', { at: at.getTime(), now })
}

/** @throws Refusal `RollbackAmbiguous` */
function destinationOf({ imageDigest, at }: wire.RollbackTagRequest): RollbackRequest['to'] {
  if (imageDigest !== undefined && at !== undefined) throw refuse('RollbackAmbiguous', {})
  if (imageDigest !== undefined) return { digest: parseDigest(imageDigest) }
  return at && { at: at.getTime() }
}

const namesOfStates = {
  active: 'ACTIVE',
  archived: 'ARCHIVED',
  'in recycle bin': 'IN_RECYCLE_BIN',
  gone: 'GONE',
} as const satisfies Record<PastImageState, wire.PastImageState>

const namesOfCauses = {
  push: 'PUSH',
  cache: 'CACHE',
  replication: 'REPLICATION',
  conflict: 'CONFLICT',
  delete: 'DELETE',
  lifecycle: 'LIFECYCLE',
  subject: 'SUBJECT',
  rollback: 'ROLLBACK',
  restore: 'RESTORE',
} as const satisfies Record<TagMoveCause, wire.TagMoveCause>

function describeMove({ tag, from, to, at, by, cause, source }: RecordedTagMove): wire.TagMove {
  return {
    ...{ imageTag: tag, previousImageDigest: from, imageDigest: to },
    ...{ movedAt: new Date(at), movedBy: by === '' ? undefined : by, cause: namesOfCauses[cause] },
    ...(source && { sourceRegistryId: source.account, sourceRegion: source.region }),
  }
}
