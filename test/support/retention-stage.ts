/** What tests of retention share: a server whose clock they move, what they ask of it by its own API, and its repositories. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { ECR } from '@aws-sdk/client-ecr'
import type * as wire from '#admin/model.ts'
import { openMetadata } from '#metadata/open.ts'
import type { Image } from '#test/support/images/build.ts'
import { callAdmin } from './admin.ts'
import { openOciClient } from './oci-client.ts'
import { pushImage, pushManifest } from './push.ts'
import { type ServerOptions, startServer } from './server.ts'
import { until } from './until.ts'

/** An image by its name. */
export type Named = readonly [repositoryName: string, of: { readonly digest: string }]

/** A server whose clock a test moves, and clients that go by it. */
export async function openRetentionStage(
  t: TestContext,
  database: string,
  environment: ServerOptions['environment'] = {},
) {
  let ahead = 0
  const clock = () => Date.now() + ahead
  const server = await startServer({ database, clock, environment })
  t.after(() => server.stop())
  const metadata = await openMetadata(database, () => {})
  t.after(() => metadata.close())
  const { region, credentials } = server
  const client = new ECR({ endpoint: server.url, region, credentials, maxAttempts: 1 })
  t.after(() => client.destroy())
  // The SDK would set it by the date of each answer, which is this machine's.
  Object.defineProperty(client.config, 'systemClockOffset', { get: () => ahead, set: () => {} })
  const ecr = () => client
  async function ask<Output>(operation: string, input: object, as = credentials): Promise<Output> {
    const { status, body } = await callAdmin<Output>(server, as, operation, input, new Date(clock()))
    assert.equal(status, 200, JSON.stringify(body))
    return body
  }
  const refused = async (operation: string, input: object, as = credentials) => {
    const { status, body } = await callAdmin<{ __type: string; message: string }>(
      ...([server, as, operation, input, new Date(clock())] as const),
    )
    assert.equal(status, 400, JSON.stringify(body))
    return body
  }
  const oci = await openOciClient(server)
  t.after(() => oci[Symbol.asyncDispose]())
  let made = 0
  return {
    ...{ server, metadata, ecr, oci, ask, refused, clock },
    move: (ms: number) => {
      ahead += ms
    },
    /** Until no job of the kind is due, nor one that a schedule of that name has to ask for. */
    done: (kind: string) =>
      until(async () => {
        const now = clock()
        const schedule = await metadata.reader
          .selectFrom('job_schedule')
          .select('next_at')
          .where('name', '=', kind)
          .executeTakeFirst()
        const jobs = await metadata.reader
          .selectFrom('job')
          .select(['state', 'run_at'])
          .where('kind', '=', kind)
          .where('state', 'in', ['waiting', 'running'])
          .execute()
        const waits = jobs.every(({ state, run_at }) => state === 'waiting' && run_at > now)
        return waits && (schedule === undefined || schedule.next_at > now)
      }),
    /** One that keeps what is in use, unless told otherwise. */
    async repository(keepInUse: wire.KeepInUse = 'ENABLED') {
      const repositoryName = `team/app-${++made}`
      await ecr().createRepository({ repositoryName })
      await ask('PutRepositoryRetention', { repositoryName, keepInUse })
      return repositoryName
    },
    async push(repositoryName: string, what: Image, ...tags: string[]) {
      await pushImage(oci.registry, repositoryName, what)
      for (const tag of tags) await pushManifest(oci.registry, repositoryName, what, tag)
    },
    report: (cluster: string, images: readonly Named[], more: object = {}) =>
      ask<wire.ReportImagesInUseResponse>('ReportImagesInUse', {
        cluster,
        images: images.map(([repositoryName, { digest }]) => ({ repositoryName, imageDigest: digest })),
        ...more,
      }),
    delete: async (repositoryName: string, ...imageIds: { imageDigest?: string; imageTag?: string }[]) => {
      const { imageIds: gone = [], failures = [] } = await ecr().batchDeleteImage({ repositoryName, imageIds })
      return { gone: gone.length, failures }
    },
    /** The digests of a repository's bin. */
    async bin(repositoryName: string) {
      const { images } = await ask<wire.ListDeletedImagesResponse>('ListDeletedImages', { repositoryName })
      return new Set(images.map(({ imageDigest }) => imageDigest))
    },
    keepInRegistry: (keepInUse: boolean) => ask('PutRetentionSettings', { keepInUse }),
  }
}
