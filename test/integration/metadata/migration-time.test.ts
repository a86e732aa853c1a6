/** A migration of a repository with many images takes time in proportion to them: twice as many do not take four times as long. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openLoadTarget } from '#metadata/load.ts'
import { openMetadata } from '#metadata/open.ts'
import { sqliteUrl } from '#test/support/databases.ts'

const layersOfEach = 6

test('the migrations of a repository with eight times as many images take some eight times as long', async () => {
  const few = await migrate(await databaseWith(250))
  const many = await migrate(await databaseWith(2_000))
  assert.ok(many < 20 * few, `${many} µs of processor time for 2,000 images, ${few} for 250`)
})

/** Returns the microseconds of processor time that the process used. */
async function migrate(url: string): Promise<number> {
  const before = process.cpuUsage()
  const metadata = await openMetadata(url, assert.fail)
  const { user, system } = process.cpuUsage(before)
  await metadata.close()
  return user + system
}

async function databaseWith(images: number): Promise<string> {
  const url = await sqliteUrl()
  await using target = await openLoadTarget(url)
  await target.load(['0014-blob-store'], async (insert) => {
    await insert('repository', [
      {
        ...{ id: 1, account: '000000000000', region: 'us-east-1', name: 'app', created_at: 1 },
        ...{ tag_mutability: 'MUTABLE', tag_mutability_exclusions: '[]', scan_on_push: 0 },
        ...{ encryption_type: 'AES256', kms_key: null, resource_tags: '{}', image_removals: 0, keep_in_use: null },
      },
    ])
    for (let at = 0; at < images; at++) {
      const key = { repository_id: 1, digest: `sha256:${at.toString(16).padStart(64, '0')}` }
      const types = { media_type: 'type', artifact_type: null, subject: null, annotations: null }
      const times = { image_size: 7, pushed_at: 1, pulled_at: null, archived_at: null, activated_at: null }
      await insert('manifest', [{ ...key, ...types, ...times, body: Buffer.from('{}'), status: 'ACTIVE' }])
      const reference = { repository_id: 1, parent: key.digest, kind: 'layer', media_type: 'type' }
      for (let layer = 0; layer < layersOfEach; layer++) {
        await insert('manifest_reference', [{ ...reference, child: `${key.digest}-${layer}` }])
      }
    }
  })
  return url
}
