/** Kills of a server that works on a back-fill of 1,000 images. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { ECR } from '@aws-sdk/client-ecr'
import type { Metadata } from '#metadata/metadata.ts'
import { callAdmin } from '#test/support/admin.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { pushImageTo } from '#test/support/ecr-push.ts'
import { image } from '#test/support/images/build.ts'
import { contentOf, replicateTo } from '#test/support/replication.ts'
import { startServeProcess } from '#test/support/serve-process.ts'
import type { RunningServer } from '#test/support/server.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { until } from '#test/support/until.ts'

const credentials = { accessKeyId: 'AKIATESTTESTTESTTEST', secretAccessKey: 'test-secret-test-secret-test-secret-test' }
const region = 'us-east-1'
const images = 1_000
const repositoryName = 'team/app'

interface Answer {
  readonly runs: readonly { readonly runId: string }[]
  readonly run: { readonly status: string; readonly counts: { readonly listed: number; readonly toSend: number } }
}

eachDatabase(({ dialect, url, open }) => {
  test(`a back-fill of 1,000 images resumes after kills and ends with the same digests (${dialect})`, async (t) => {
    const database = await url()
    await using folder = await temporaryFolder()
    const flags = ['--listen', '127.0.0.1:0', '--data-dir', folder.path, '--database', database]
    const key = [
      ...['--root-access-key-id', credentials.accessKeyId],
      ...['--root-secret-access-key', credentials.secretAccessKey],
    ]
    const start = async () => {
      const lading = startServeProcess([...flags, ...key])
      const address = await lading.url()
      const call = async (operation: string, input: object) => {
        const server = { url: address, host: new URL(address).host, region } as RunningServer
        const { status, body } = await callAdmin<Answer>(server, credentials, operation, input)
        assert.equal(status, 200, JSON.stringify(body))
        return body
      }
      const client = (of: string) => new ECR({ endpoint: address, region: of, credentials })
      return { lading, call, client }
    }
    const first = await start()
    const source = first.client(region)
    await source.createRepository({ repositoryName })
    const base = image({ seed: 'base' })
    await pushImageTo(source, repositoryName, base, 'base')
    const metadata = await open(t, database)
    await multiply(metadata, base, images - 1)
    await replicateTo(source, [{ region: 'eu-west-1', registryId: '000000000000' }])
    const { runs } = await first.call('StartReplicationSync', {})
    const runId = runs[0]?.runId ?? ''
    const copied = async () => {
      const { count } = await metadata.reader
        .selectFrom('replication_item')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('state', '=', 'COMPLETE')
        .executeTakeFirstOrThrow()
      return Number(count)
    }
    let current = first
    for (const least of [100, 400, 700]) {
      await until(async () => (await copied()) >= least)
      await current.lading[Symbol.asyncDispose]()
      current = await start()
    }
    await until(async () => (await current.call('DescribeReplicationRun', { runId })).run.status === 'COMPLETE')
    const { run } = await current.call('DescribeReplicationRun', { runId })
    assert.deepEqual([run.counts.listed, run.counts.toSend], [images, images])
    const [here, there] = [current.client(region), current.client('eu-west-1')]
    assert.deepEqual(await contentOf(there, repositoryName), await contentOf(here, repositoryName))
    for (const each of [source, here, there]) each.destroy()
    await current.lading[Symbol.asyncDispose]()
  })
})

/** Writes further images of the same blobs, each with a tag. To push them would take minutes. */
async function multiply(metadata: Metadata, base: ReturnType<typeof image>, count: number): Promise<void> {
  await metadata.transaction(async (trx) => {
    const { id } = await trx.selectFrom('repository').select('id').executeTakeFirstOrThrow()
    const manifest = JSON.parse(base.bytes.toString())
    const row = await trx.selectFrom('manifest').selectAll().executeTakeFirstOrThrow()
    const references = await trx.selectFrom('manifest_reference').selectAll().execute()
    for (let at = 0; at < count; at++) {
      const body = Buffer.from(JSON.stringify({ ...manifest, annotations: { number: String(at) } }))
      const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`
      await trx
        .insertInto('manifest')
        .values({ ...row, digest })
        .execute()
      const annotations = JSON.stringify({ number: String(at) })
      await trx.insertInto('manifest_content').values({ repository_id: id, digest, annotations, body }).execute()
      await trx
        .insertInto('manifest_reference')
        .values(references.map((reference) => ({ ...reference, parent: digest })))
        .execute()
      await trx
        .insertInto('tag')
        .values({ repository_id: id, tag: `v${at}`, digest, moved_at: row.pushed_at + at })
        .execute()
    }
  })
}
