/** What the tests of the distribution API share: one body for each database, a server with a client, repositories, claims. */
import assert from 'node:assert/strict'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe } from 'node:test'
import { type ImageTagMutability, PutAccountSettingCommand } from '@aws-sdk/client-ecr'
import { type Databases, type Dialect, eachDatabase, eachDatabaseInCi } from '#test/support/databases.ts'
import type { Image } from '#test/support/images/build.ts'
import { noise } from '#test/support/images/content.ts'
import { type Answer, type OciClient, openOciClient } from '#test/support/oci-client.ts'
import { pushBlob } from '#test/support/push.ts'
import { type RunningServer, type ServerOptions, startServer } from '#test/support/server.ts'

export interface World {
  readonly dialect: Dialect
  readonly server: RunningServer
  readonly client: OciClient
  readonly call: OciClient['call']
  /** A repository that no other test uses. */
  repository(mutability?: ImageTagMutability): Promise<string>
  /** Pushes the image's blobs, and not its manifest. */
  pushBlobs(repository: string, image: Image): Promise<void>
  putManifest(repository: string, image: Pick<Image, 'bytes' | 'mediaType'>, reference: string): Promise<Answer>
  /** Begins an upload and answers its path. */
  startUpload(repository: string): Promise<string>
  /** Lets pushes take layers of other repositories, in the registry of `client`. */
  allowMounts(): Promise<void>
  /** Bytes that no other test has. */
  bytes(sizeBytes: number): Buffer
}

type BodyOfTests = (world: World) => void
type WorldOptions = Omit<ServerOptions, 'database'>

/** Runs `body` once for each database, against one server. */
export function eachServer(subject: string, body: BodyOfTests, options: WorldOptions = {}): void {
  eachDatabase((databases) => describeOn(databases, subject, body, options))
}

/** The same where the database is not the subject: in `npm test` on SQLite alone. */
export function eachServerInCi(subject: string, body: BodyOfTests, options: WorldOptions = {}): void {
  eachDatabaseInCi((databases) => describeOn(databases, subject, body, options))
}

function describeOn({ dialect, url }: Databases, subject: string, body: BodyOfTests, options: WorldOptions): void {
  describe(`${subject}, over ${dialect}`, () => {
    let server: RunningServer | undefined
    let client: OciClient | undefined
    let count = 0
    before(async () => {
      server = await startServer({ ...options, database: await url() })
      client = await openOciClient(server)
    })
    after(async () => {
      await client?.[Symbol.asyncDispose]()
      await server?.stop()
    })
    const world: World = {
      dialect,
      get server() {
        return present(server)
      },
      get client() {
        return present(client)
      },
      call: (...parameters) => world.client.call(...parameters),
      repository: (mutability) => world.client.createRepository(`team/app-${++count}`, mutability),
      async pushBlobs(repository, { blobs }) {
        for (const blob of blobs) await pushBlob(world.client.registry, repository, blob)
      },
      putManifest: (repository, { bytes, mediaType }, reference) =>
        world.call('PUT', `/v2/${repository}/manifests/${reference}`, {
          headers: { 'content-type': mediaType },
          body: bytes,
        }),
      startUpload: async (repository) =>
        locationOf(expect(await world.call('POST', `/v2/${repository}/blobs/uploads/`), 202)),
      async allowMounts() {
        const setting = { name: 'BLOB_MOUNTING', value: 'ENABLED' }
        await world.client.ecr.send(new PutAccountSettingCommand(setting))
      },
      bytes: (sizeBytes) => noise(`${subject}/${dialect}/${++count}`, sizeBytes),
    }
    body(world)
  })
}

function present<T>(value: T | undefined): T {
  assert.ok(value !== undefined, 'the server has started')
  return value
}

/** The answer, if it is of that status; an error must be the specification's JSON, with that code. */
export function expect(answer: Answer, status: number, error?: string): Answer {
  assert.equal(answer.status, status, answer.body.toString('utf8', 0, 500))
  assert.equal(answer.headers['docker-distribution-api-version'], 'registry/2.0')
  assert.match(answer.headers['x-amzn-requestid'] as string, /^[0-9a-f-]{36}$/)
  if (error !== undefined) {
    assert.match(answer.headers['content-type'] ?? '', /^application\/json/)
    const { errors } = answer.json<{ errors: { code: string; message: string }[] }>()
    assert.deepEqual(
      errors.map(({ code }) => code),
      [error],
    )
    assert.ok(answer.message.length > 10)
  }
  return answer
}

export function locationOf({ headers: { location } }: Answer): string {
  assert.ok(location !== undefined, 'there is a Location')
  return location
}

/** Bytes of an upload that a server has on disk, recorded or not. */
export async function draftSize({ dataDir }: RunningServer, uploadPath: string): Promise<number> {
  const folder = join(dataDir, 'blobs/drafts', /uploads\/([^?]*)/.exec(uploadPath)?.[1] ?? '')
  const names = await readdir(folder).catch(() => [])
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size))
  return Math.max(0, ...sizes)
}
