import type { Reader } from '#metadata/metadata.ts'
import { parseAccountId } from '#names/account.ts'
import type { Digest } from '#names/digest.ts'
import { parseRegion } from '#names/region.ts'
import type { Registry } from '#names/registry.ts'

/** How far an image is on its way to one destination. */
export interface ImageReplicationStatus {
  readonly destination: Registry
  readonly status: 'IN_PROGRESS' | 'COMPLETE' | 'FAILED'
  /** Of one that failed: the name of an exception of the ECR API. */
  readonly failureCode: string | undefined
}

const statuses: Readonly<Record<string, ImageReplicationStatus['status']>> = {
  WAITING: 'IN_PROGRESS',
  COMPLETE: 'COMPLETE',
  FAILED: 'FAILED',
}

/** One entry for each destination that a rule ever asked for, ordered by account and region. */
export async function readImageStatuses(
  reader: Reader,
  repositoryId: number,
  digest: Digest,
): Promise<readonly ImageReplicationStatus[]> {
  const rows = await reader
    .selectFrom('replication_item')
    .select(['account', 'region', 'state', 'failure_code'])
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .orderBy('account')
    .orderBy('region')
    .execute()
  return rows.map(({ account, region, state, failure_code }) => ({
    destination: { account: parseAccountId(account), region: parseRegion(region) },
    status: statuses[state] ?? 'IN_PROGRESS',
    failureCode: state === 'FAILED' && failure_code !== null ? failure_code : undefined,
  }))
}
