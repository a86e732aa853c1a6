/**
 * The collector is killed at moments that nothing chooses, while others push what it takes away. `LADING_TEST_COLLECTOR_KILLS` is how
 * often.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomInt, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { FileBlobStore } from '#blobs/file.ts'
import { ecrQuotas as quotas } from '#config/quotas.ts'
import { Refusal } from '#lib/refusal.ts'
import { parseAccountId } from '#names/account.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { createCollectionWorkers } from '#registry/collection/jobs.ts'
import { createImagePush } from '#registry/image-push.ts'
import { createRepositories } from '#registry/repositories.ts'
import { createUploads } from '#registry/uploads.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { image } from '#test/support/images/build.ts'
import { digest, noise } from '#test/support/images/content.ts'
import { inheritedEnvironment } from '#test/support/run.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const lives = Number(process.env.LADING_TEST_COLLECTOR_KILLS ?? 6)
const refused: ReadonlySet<string> = new Set(['UploadNotFound', 'UploadTakenOver'])
const program = fileURLToPath(new URL('collection-child.ts', import.meta.url))
const key = {
  registry: { account: parseAccountId('123456789012'), region: parseRegion('eu-west-1') },
  name: parseRepositoryName('team/app'),
}

eachDatabase((databases) => {
  test(`a collector that is killed at any moment leaves nothing that the next does not clean, and takes nothing that is linked, on ${databases.dialect}`, async (t) => {
    const url = await databases.url()
    const metadata = await databases.open(t, url)
    await using folder = await temporaryFolder()
    const blobs = await FileBlobStore.open(folder.path)
    const parts = { metadata, quotas, clock: Date.now }
    await createRepositories({ ...parts, repositoryCreated: [] }).create(key, {})
    const uploads = createUploads({ ...parts, blobs, processId: randomUUID() })
    /** Whether it was not refused: its draft or content may go between two steps, as here nothing is too young for that. */
    const push = async (content: { digest: Digest; bytes: Uint8Array }) => {
      try {
        await uploads.push(key, content.digest, { source: piece(content.bytes) })
        return true
      } catch (error) {
        if (error instanceof Refusal && refused.has(error.code)) return false
        throw error
      }
    }
    const kept = image({ seed: 'kept' })
    for (const blob of kept.blobs) await push(blob)
    await createImagePush(parts).put(key, { body: kept.bytes, mediaType: kept.mediaType, by: '' })
    const garbage = Array.from({ length: 25 }, (_, index) => {
      const bytes = noise(`garbage ${index}`, 500)
      return { bytes, digest: parseDigest(digest(bytes)) }
    })

    let taken = 0
    // On a busy machine the first may all be killed before they began: it goes on, each time for longer, until one was not.
    for (let life = 0; life < lives || taken === 0; life++) {
      for (const each of garbage) await push(each)
      const child = spawn(process.execPath, [program, url, folder.path], {
        env: inheritedEnvironment(),
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const exit = once(child, 'exit')
      await once(child.stdout, 'data')
      const killed = delay(randomInt(0, 60 * (life + 2))).then(() => child.kill('SIGKILL'))
      for (const each of garbage) await push(each)
      await killed
      assert.deepEqual(await exit, [null, 'SIGKILL'])
      const linked = await metadata.reader.selectFrom('repository_blob').select('digest').execute()
      for (const link of linked) assert.ok(await blobs.stat(parseDigest(link.digest)), `${link.digest} is there`)
      taken += garbage.length + kept.blobs.length - linked.length
    }
    assert.ok(taken > 0, 'the collector took something before it was killed')

    const clock = () => Date.now() + 50 * 3_600_000
    const workers = createCollectionWorkers({ metadata, blobs, clock, gcGraceHours: 24, uploadExpiryHours: 24 })
    const { signal } = new AbortController()
    for (const { work } of [...workers, ...workers]) await work({}, { signal })
    const wanted = new Set<string>(kept.blobs.map((blob) => blob.digest))
    const rows = await metadata.reader.selectFrom('blob').select('digest').execute()
    assert.deepEqual(new Set((await Array.fromAsync(blobs.list())).flat()), wanted)
    assert.deepEqual(new Set(rows.map((row) => row.digest)), wanted)
    assert.deepEqual(await Array.fromAsync(blobs.listDrafts()), [])
    assert.deepEqual(await metadata.reader.selectFrom('blob_candidate').selectAll().execute(), [])
  })
})

async function* piece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
