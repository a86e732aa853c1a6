import { type NewEvent, orderKey } from '#events/event.ts'
import { repositoryArn } from '#names/arn.ts'
import type { Registry } from '#names/registry.ts'
import type { RepositoryName } from '#names/repository-name.ts'

/** A repository that is scanned otherwise than before. */
export interface ScanFrequencyChange {
  readonly name: RepositoryName
  readonly frequency: string
  readonly previous: string
}

/** A rule may be about thousands of repositories. */
const repositoriesAnEvent = 100

/** In ECR's form, which has them for enhanced scanning alone (ECR user guide, "Amazon ECR events and EventBridge"). */
export function scanChangeEvents(
  registry: Registry,
  changes: readonly ScanFrequencyChange[],
  at: number,
): readonly NewEvent[] {
  const events: NewEvent[] = []
  for (let first = 0; first < changes.length; first += repositoriesAnEvent) {
    events.push({
      ...{ account: registry.account, region: registry.region, source: 'aws.ecr', at },
      ...{ detailType: 'ECR Scan Resource Change', resources: [], orderKey: orderKey(registry) },
      detail: {
        'action-type': 'SCAN_FREQUENCY_CHANGE',
        repositories: changes.slice(first, first + repositoriesAnEvent).map(({ name, frequency, previous }) => ({
          ...{ 'repository-name': name, 'repository-arn': repositoryArn(registry, name) },
          ...{ 'scan-frequency': frequency, 'previous-scan-frequency': previous },
        })),
        ...{ 'resource-type': 'REPOSITORY', 'scan-type': 'ENHANCED' },
      },
    })
  }
  return events
}
