import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { commandsOver } from '#test/support/command.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { image } from '#test/support/images/build.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { pushBlob, pushImage } from '#test/support/push.ts'
import { startServer } from '#test/support/server.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { until } from '#test/support/until.ts'

eachDatabaseInCi(({ dialect, url }) => {
  test(`lading gc tells what waits and has a server collect it: ${dialect}`, async () => {
    const hours = { gone: 0, begun: Date.now() }
    const clock = () => Date.now() + hours.gone * 3_600_000
    await using server = await startServer({ database: await url(), clock })
    await using client = await openOciClient(server)
    const repository = await client.createRepository('team/app')
    const lading = commandsOver(server.environment)
    const status = async () => (await lading.json('gc', 'status')) as Record<string, unknown>
    await pushImage(client.registry, repository, image({ seed: 'kept' }), 'v1')
    const [lonely] = image({ seed: 'lonely', layers: [4_000] }).blobs
    assert.ok(lonely)
    await pushBlob(client.registry, repository, lonely)
    const { linksWaiting, linksWaitingSince, blobsWaiting, heldByBackup } = await status()
    assert.deepEqual([linksWaiting, blobsWaiting, heldByBackup], [1, 0, false])
    assert.ok(Date.parse(String(linksWaitingSince)) >= hours.begun)

    hours.gone = 25
    let now: Record<string, unknown> = {}
    await until(async () => {
      now = await status()
      return now.lastCollection !== undefined
    })
    assert.deepEqual([now.linksWaiting, now.blobsWaiting], [0, 0])
    assert.deepEqual([now.lastCollectedLinks, now.lastCollectedBlobs, now.lastCollectedUploads], [1, 1, 0])
    assert.equal(now.lastCollectedBytes, lonely.bytes.byteLength)

    // No schedule is due again, so that it is this command which has it done.
    const { lastCollection } = now
    assert.ok(Date.parse(String(lastCollection)) >= hours.begun + 25 * 3_600_000)
    assert.match(await lading.run('gc', 'run', '--sweep'), /begins within seconds/)
    await until(async () => {
      now = await status()
      return now.lastCollection !== lastCollection
    })
    assert.deepEqual([now.lastCollectedLinks, now.lastCollectedBytes], [0, 0])
    assert.deepEqual([now.collectedLinks, now.collectedBlobs, now.collectedBytes], [1, 1, lonely.bytes.byteLength])
  })
})

test('a sweep by another database over the same blobs deletes nothing until an operator says so', async () => {
  await using folder = await temporaryFolder()
  const databaseOf = (name: string) => `sqlite:${join(folder.path, name)}`
  const blobs = { LADING_BLOBS: `file:${join(folder.path, 'blobs')}` }
  const { blobs: pushed } = image({ seed: 'kept' })
  {
    await using server = await startServer({ database: databaseOf('one.db'), environment: blobs })
    await using client = await openOciClient(server)
    await pushImage(client.registry, await client.createRepository('team/app'), image({ seed: 'kept' }), 'v1')
  }
  const clock = () => Date.now() + 48 * 3_600_000
  const environment = { ...blobs, LADING_FOREIGN_BLOBS: 'allow' }
  await using server = await startServer({ database: databaseOf('other.db'), environment, clock })
  const lading = commandsOver({ ...server.environment, ...blobs })
  const status = async () => (await lading.json('gc', 'status')) as Record<string, unknown>
  let now = await status()
  assert.equal(now.lastSweep, undefined)
  await lading.run('gc', 'run', '--sweep')
  await until(async () => {
    now = await status()
    return now.lastSweep !== undefined
  })
  assert.match(String(now.lastSweepFailed), /belongs to another database/)
  assert.match(await lading.run('gc', 'status'), /deleted no file that the database does not know: the folder/)

  assert.deepEqual(await lading.json('gc', 'adopt'), {
    folder: join(folder.path, 'blobs'),
    files: pushed.length,
    unknown: pushed.length,
  })
  await lading.run('gc', 'run', '--sweep')
  await until(async () => (await status()).lastSweepFailed === undefined)
  // Both jobs may have run at once: what the sweep found goes by the next collection.
  await lading.run('gc', 'run')
  await until(async () => (await status()).collectedBlobs === pushed.length)
})
