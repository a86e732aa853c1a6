/**
 * What every upstream registry must be good for: real clients pull its images through a rule of the cache, for the first time and again
 * when the upstream has stopped, with the bytes and digests that the upstream has.
 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, suite, type TestContext, test } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import { ECR } from '@aws-sdk/client-ecr'
import { parseMediaType } from '#names/media-type.ts'
import { callAdmin } from '#test/support/admin.ts'
import { amd64, arm64, type Image, image, index, layer, manifestsOf, rewritten } from '#test/support/images/build.ts'
import { digest } from '#test/support/images/content.ts'
import { tar } from '#test/support/images/tar.ts'
import {
  needsClient,
  type Place,
  type PullingClient,
  pullingClients,
  type Wanted,
} from '#test/support/pulling-clients.ts'
import { inContinuousIntegration, needs } from '#test/support/run.ts'
import { type Session, startSession } from '#test/support/session.ts'
import { until } from '#test/support/until.ts'
import { createUpstreamSecret } from '#test/support/upstream-secret.ts'
import { fill, fillReferrer, type Target } from '#test/support/upstreams/fill.ts'

export interface StartedUpstream extends AsyncDisposable {
  /** Where images are pushed. */
  readonly target: Target
  /** The value of `LADING_UPSTREAMS`. */
  readonly upstreams: string
  /** Of the secret that the rule has, if it has one. */
  readonly credentials?: { readonly username: string; readonly accessToken: string }
  /** For registries that create no repository with a push. */
  createRepository?(name: string): Promise<void>
}

export interface Upstream {
  /** As test names have it. */
  readonly name: string
  readonly programs: readonly string[]
  /** Why it is skipped, in CI too. */
  readonly skip?: string | false
  /** The address that the rule has. */
  readonly url: string
  /** The host in names of images, where it is another one. */
  readonly nameInImages?: string
  start(): Promise<StartedUpstream>
}

const prefix = 'cache'
const sbomType = 'application/spdx+json'

export function pullsThrough(upstream: Upstream): void {
  const { skip } = upstream.skip === undefined ? needs(...upstream.programs) : upstream
  suite(`pulls through a rule for ${upstream.name}`, { skip: skip ?? false }, () => {
    let started: StartedUpstream
    let session: Session
    let ecr: ECR
    let place: Place
    const wanted = new Map<string, readonly Wanted[]>()
    /** Those that pulled. */
    const clients = new Set<PullingClient>()
    const signed = image({ seed: 'signed' })
    let sbom: Image

    before(async () => {
      started = await upstream.start()
      session = await startSession({ environment: { LADING_UPSTREAMS: started.upstreams } })
      place = { session, prefix, upstreamName: upstream.nameInImages ?? upstream.url }
      ecr = new ECR({
        ...{ endpoint: session.url, region: session.server.region, credentials: session.server.credentials },
      })
      for (const { name } of pullingClients) wanted.set(name, await push(`clients/${name.split(/\W/)[0]}`))
      await started.createRepository?.('signed/app')
      await fill(started.target, 'signed/app', signed, 'v1')
      sbom = await fillReferrer(started.target, 'signed/app', signed, sbomType)
      await ecr.createPullThroughCacheRule({
        ecrRepositoryPrefix: prefix,
        upstreamRegistryUrl: upstream.url,
        ...(started.credentials && {
          credentialArn: await createUpstreamSecret(session.server, 'upstream', {
            value: JSON.stringify(started.credentials),
          }),
        }),
      })
      // Each pull by tag asks the upstream.
      const settings = { ecrRepositoryPrefix: prefix, maxAgeSeconds: 0 }
      await callAdmin(session.server, session.server.credentials, 'PutPullThroughCacheSettings', settings)
      await login(session)
    })
    after(async () => {
      ecr.destroy()
      await session[Symbol.asyncDispose]()
      await started[Symbol.asyncDispose]()
    })

    async function push(repository: string): Promise<readonly Wanted[]> {
      await started.createRepository?.(repository)
      const all = Object.entries(imagesOf(repository)).map(([tag, each]) => ({ repository, tag, image: each }))
      for (const each of all) await fill(started.target, repository, each.image, each.tag)
      return all
    }

    async function stored(repository: string, each: Image): Promise<void> {
      const imageIds = [...manifestsOf(each)].map(({ digest: imageDigest }) => ({ imageDigest }))
      await until(async () => {
        const { imageDetails = [] } = await ecr
          .describeImages({ repositoryName: `${prefix}/${repository}`, imageIds })
          .catch(() => ({ imageDetails: [] }))
        return imageDetails.length === imageIds.length
      })
    }

    async function pull(t: TestContext, client: PullingClient): Promise<void> {
      try {
        await client.pull(place, wanted.get(client.name) ?? [])
        clients.add(client)
      } catch (error) {
        // A container has the program and may not run it.
        if (inContinuousIntegration || !/does not run here/.test(String(error))) throw error
        t.skip(String(error))
      }
    }

    async function pullReferrer(): Promise<void> {
      const name = `${session.host}/${prefix}/signed/app`
      const discover = ['discover', '--plain-http', '--format', 'json', `${name}:v1`]
      const { referrers } = JSON.parse(await session.run('oras', discover)) as {
        referrers: { digest: string; artifactType: string }[]
      }
      assert.deepEqual(
        referrers.map((each) => [each.digest, each.artifactType]),
        [[sbom.digest, sbomType]],
      )
      const fetched = await session.run('oras', ['manifest', 'fetch', '--plain-http', `${name}@${sbom.digest}`])
      assert.equal(fetched, String(sbom.bytes))
      const [, blob] = sbom.blobs
      const file = await session.run('oras', [
        ...['blob', 'fetch', '--plain-http', '--output', '-', `${name}@${blob?.digest}`],
      ])
      assert.equal(file, String(blob?.bytes))
    }

    for (const client of pullingClients) {
      test(`${client.name} pulls what is not cached`, needsClient(client), (t) => pull(t, client))
    }

    test('oras finds and pulls a referrer that is not cached', needs('oras'), pullReferrer)

    test('the whole of each pulled image is kept', async (t) => {
      for (const client of clients) {
        for (const each of wanted.get(client.name) ?? []) {
          if (client.name !== 'docker' || each.tag !== 'zstd') await stored(each.repository, each.image)
        }
      }
      if (needs('oras').skip === false) {
        for (const each of [signed, sbom]) await stored('signed/app', each)
      }
      t.after(() => started[Symbol.asyncDispose]())
    })

    for (const client of pullingClients) {
      test(
        `${client.name} pulls the same from the cache once the upstream has stopped`,
        needsClient(client),
        async () => {
          await client.pull(place, wanted.get(client.name) ?? [])
        },
      )
    }

    test('oras finds and pulls the same referrer once the upstream has stopped', needs('oras'), pullReferrer)
  })
}

/** One image of each kind, by tag. */
function imagesOf(seed: string): Readonly<Record<string, Image>> {
  const onPlatforms = (format: 'oci' | 'docker') =>
    [amd64, arm64].map((platform) => {
      const layers = [layer({ 'etc/motd': `${seed} ${platform.architecture}` }), 30_000]
      return image({ platform, format, layers, seed: `${seed}/${format}/${platform.architecture}` })
    })
  return {
    index: index({ children: onPlatforms('oci') }),
    list: index({ format: 'docker', children: onPlatforms('docker') }),
    schema2: image({ format: 'docker', seed: `${seed}/schema2` }),
    zstd: zstdImage(seed),
  }
}

function zstdImage(seed: string): Image {
  const archive = tar({ 'etc/motd': seed })
  const made = image({ layers: [{ bytes: zstdCompressSync(archive), diffId: digest(archive) }] })
  const mediaType = parseMediaType('application/vnd.oci.image.layer.v1.tar+zstd')
  const [config, ...layers] = made.blobs.map((each, at) => (at === 0 ? each : { ...each, mediaType }))
  assert.ok(config)
  const descriptors = layers.map((each) => ({ mediaType, digest: each.digest, size: each.bytes.length }))
  return { ...rewritten(made, { layers: descriptors }), blobs: [config, ...layers] }
}

/** For all clients: they read one file. */
async function login({ folder, host, password }: Session): Promise<void> {
  const auth = Buffer.from(`AWS:${await password()}`).toString('base64')
  await writeFile(join(folder, 'docker', 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }))
}
