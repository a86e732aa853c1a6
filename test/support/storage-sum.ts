import assert from 'node:assert/strict'
import type { Metadata } from '#metadata/metadata.ts'
import { readStorageUsage } from '#registry/storage-usage.ts'

/** The counted usage of each registry is the sum over its links, each blob once, its manifests, and what its recycle bin has. */
export async function assertStorageCounted({ reader }: Pick<Metadata, 'reader'>): Promise<void> {
  const links = await reader
    .selectFrom('repository_blob as link')
    .innerJoin('repository as live', 'live.id', 'link.repository_id')
    .innerJoin('blob', 'blob.digest', 'link.digest')
    .leftJoin('deleted_repository as deleted', 'deleted.repository_id', 'live.id')
    .select(['blob.digest', 'blob.size', 'live.account', 'live.region'])
    .select(['deleted.account as past_account', 'deleted.region as past_region'])
    .execute()
  const sums = new Map<string, number>()
  const seen = new Set<string>()
  for (const { digest, size, account, region, past_account, past_region } of links) {
    const place = `${past_account ?? account} ${past_region ?? region}`
    if (seen.has(`${place} ${digest}`)) continue
    seen.add(`${place} ${digest}`)
    sums.set(place, (sums.get(place) ?? 0) + size)
  }
  const manifests = await reader
    .selectFrom('manifest_content as content')
    .innerJoin('repository as live', 'live.id', 'content.repository_id')
    .leftJoin('deleted_repository as deleted', 'deleted.repository_id', 'live.id')
    .select(['live.account', 'live.region', 'content.body'])
    .select(['deleted.account as past_account', 'deleted.region as past_region'])
    .execute()
  for (const { account, region, past_account, past_region, body } of manifests) {
    const place = `${past_account ?? account} ${past_region ?? region}`
    sums.set(place, (sums.get(place) ?? 0) + body.byteLength)
  }
  const usage = await readStorageUsage(reader)
  const counted = usage.map(({ account, region, storedBytes }) => [`${account} ${region}`, storedBytes] as const)
  assert.deepEqual(
    new Map(counted.filter(([, bytes]) => bytes !== 0)),
    new Map([...sums].filter(([, bytes]) => bytes !== 0)),
  )
  const uploads = await reader.selectFrom('upload').select(['offset', 'held']).execute()
  assert(uploads.every(({ offset, held }) => held >= offset))
  const inUploads = usage.reduce((sum, { uploadBytes }) => sum + uploadBytes, 0)
  assert.equal(
    inUploads,
    uploads.reduce((sum, { held }) => sum + held, 0),
  )
}
