import type { AccountId } from '#names/account.ts'
import type { Region } from '#names/region.ts'
import type { Registry } from '#names/registry.ts'
import type { RepositoryName } from '#names/repository-name.ts'

/** An event as the transaction that causes it records it. */
export interface NewEvent {
  readonly account: AccountId
  readonly region: Region
  /** `aws.ecr`, or `lading` for what ECR does not have. */
  readonly source: string
  /** `ECR Image Action`. */
  readonly detailType: string
  /** ARNs. */
  readonly resources: readonly string[]
  /** JSON. */
  readonly detail: Readonly<Record<string, unknown>>
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Events of one key are delivered in the order of their commits (`orderKey`). */
  readonly orderKey: string
}

/** An event as receivers get it (Amazon EventBridge events reference, "Event structure"). */
export interface EventEnvelope {
  readonly version: '0'
  readonly id: string
  readonly 'detail-type': string
  readonly source: string
  readonly account: string
  /** In whole seconds. */
  readonly time: string
  readonly region: string
  readonly resources: readonly string[]
  readonly detail: Readonly<Record<string, unknown>>
}

/** An event with its place in the order of all events. */
export interface PublishedEvent {
  /** Higher than that of each event that was published before. */
  readonly sequence: number
  readonly account: AccountId
  readonly region: Region
  readonly orderKey: string
  readonly envelope: EventEnvelope
}

/** The key of a repository's events, or of events that are about a whole registry. */
export function orderKey({ account, region }: Registry, name?: RepositoryName): string {
  return name === undefined ? `${account}/${region}` : `${account}/${region}/${name}`
}
