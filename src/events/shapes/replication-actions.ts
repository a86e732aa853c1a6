import { type NewEvent, orderKey } from '#events/event.ts'
import { repositoryArn } from '#names/arn.ts'
import type { Digest } from '#names/digest.ts'
import type { Registry } from '#names/registry.ts'
import type { Tag } from '#names/tag.ts'
import type { RepositoryKey } from '#registry/repository.ts'

export interface ReplicationFacts {
  /** Where the copy is, or should be. The event belongs to that registry. */
  readonly repository: RepositoryKey
  readonly source: Registry
  readonly digest: Digest
  readonly tag: Tag | undefined
  readonly at: number
}

/** In ECR's form (ECR user guide, "Amazon ECR events and EventBridge", sample "Event for an image replication"). */
export function replicationEvent(result: 'SUCCESS' | 'FAILED', facts: ReplicationFacts): NewEvent {
  const { registry, name } = facts.repository
  return {
    ...{ account: registry.account, region: registry.region, source: 'aws.ecr', detailType: 'ECR Replication Action' },
    ...{ resources: [repositoryArn(registry, name)], at: facts.at, orderKey: orderKey(registry, name) },
    detail: {
      ...{ result, 'repository-name': name, 'image-digest': facts.digest, 'source-account': facts.source.account },
      ...{ 'action-type': 'REPLICATE', 'source-region': facts.source.region },
      ...(facts.tag !== undefined && { 'image-tag': facts.tag }),
    },
  }
}
