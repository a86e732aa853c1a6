/** A Lading without rules, and the registry of another deployment that a rule may name. */
import assert from 'node:assert/strict'
import type { EcrSession } from '#test/support/ecr-session.ts'
import { contentOf, replicateTo } from '#test/support/replication.ts'
import { startDistribution } from '#test/support/upstreams/registries.ts'
import { type PairOptions, startPair, startSource, there } from './pair.ts'

export interface FarRegistry extends AsyncDisposable {
  readonly source: EcrSession
  /** `undefined` for a registry that is no Lading. */
  readonly destination: EcrSession | undefined
  /** What a tag or a digest is at the destination. */
  find(repositoryName: string, reference: string): Promise<string | undefined>
  /** Deletes an image with its tags. */
  delete(repositoryName: string, digest: string): Promise<void>
}

export type FarKind = 'lading' | 'ecr' | 'registry'

export async function startFarRegistry(kind: FarKind, options: Omit<PairOptions, 'kind'> = {}): Promise<FarRegistry> {
  const far = kind === 'registry' ? await startPlain(options) : await startLading({ ...options, kind })
  await replicateTo(far.source.ecr, [])
  return far
}

async function startLading(options: PairOptions): Promise<FarRegistry> {
  const pair = await startPair(options)
  const { ecr } = pair.destination
  return {
    ...pair,
    async find(repositoryName, reference) {
      const found = await contentOf(ecr, repositoryName)
      const line = found?.find((each) => each.split(/[ ,]/).includes(reference))
      return line?.split(' ')[0]
    },
    async delete(repositoryName, imageDigest) {
      await ecr.batchDeleteImage({ repositoryName, imageIds: [{ imageDigest }] })
    },
  }
}

/** Debian's package of CNCF Distribution. */
async function startPlain({ source: options = {}, through }: PairOptions): Promise<FarRegistry> {
  await using stack = new AsyncDisposableStack()
  const registry = stack.use(await startDistribution('docker-registry'))
  const url = through === undefined ? registry.url : await through(registry.url)
  const registries = [{ account: there.registryId, region: there.region }]
  const peer = { name: 'plain', kind: 'registry', url, registries, prefix: 'copies' }
  const source = stack.use(await startSource([peer], options))
  const call = (method: string, repositoryName: string, reference: string) =>
    fetch(new URL(`/v2/copies/${repositoryName}/manifests/${reference}`, registry.url), {
      method,
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json' },
    })
  const owned = stack.move()
  return {
    ...{ source, destination: undefined },
    async find(repositoryName, reference) {
      const { headers, status } = await call('HEAD', repositoryName, reference)
      return status === 200 ? (headers.get('docker-content-digest') ?? undefined) : undefined
    },
    async delete(repositoryName, digest) {
      assert.equal((await call('DELETE', repositoryName, digest)).status, 202)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
