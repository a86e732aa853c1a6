import { type NewEvent, orderKey } from '#events/event.ts'
import { repositoryArn } from '#names/arn.ts'
import type { Digest } from '#names/digest.ts'
import type { Registry } from '#names/registry.ts'
import type { Tag } from '#names/tag.ts'
import type { RepositoryKey } from '#registry/repository.ts'

export interface ReplicationFacts {
  /** Where the copy is, or should be. */
  readonly repository: RepositoryKey
  /** The registry that the event belongs to: that of the copy by default. */
  readonly owner?: Registry
  readonly source: Registry
  readonly digest: Digest
  readonly tag: Tag | undefined
  readonly at: number
  /** Why the copy was refused. ECR may add members to the event of a failure. */
  readonly failure?: { readonly code: string; readonly reason: string } | undefined
}

/** In ECR's form (ECR user guide, "Amazon ECR events and EventBridge", sample "Event for an image replication"). */
export function replicationEvent(result: 'SUCCESS' | 'FAILED', facts: ReplicationFacts): NewEvent {
  const { registry, name } = facts.repository
  const { owner = registry, failure } = facts
  return {
    ...{ account: owner.account, region: owner.region, source: 'aws.ecr', detailType: 'ECR Replication Action' },
    ...{ resources: [repositoryArn(registry, name)], at: facts.at, orderKey: orderKey(owner, name) },
    detail: {
      ...{ result, 'repository-name': name, 'image-digest': facts.digest, 'source-account': facts.source.account },
      ...{ 'action-type': 'REPLICATE', 'source-region': facts.source.region },
      ...(facts.tag !== undefined && { 'image-tag': facts.tag }),
      ...(failure !== undefined && { 'failure-code': failure.code, 'failure-reason': failure.reason }),
    },
  }
}
