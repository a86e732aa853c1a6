/** Two deployments of Lading, one of which replicates to the other, or to a registry of another kind. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EcrSession } from '#test/support/ecr-session.ts'
import { startEcrSession } from '#test/support/ecr-session.ts'
import { replicateTo } from '#test/support/replication.ts'
import type { ServerOptions } from '#test/support/server.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

export interface PeerPair extends AsyncDisposable {
  readonly source: EcrSession
  readonly destination: EcrSession
}

/** Where the images go: the other deployment has them in this region. */
export const there = { region: 'eu-central-1', registryId: '000000000000' }

/** A member of the file of peers, as YAML in its flow style takes JSON. */
type PeerEntry = Readonly<Record<string, unknown>>

/** A Lading with these peers, which replicates all its images to `there`. */
export async function startSource(peers: readonly PeerEntry[], options: ServerOptions = {}): Promise<EcrSession> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const path = join(folder.path, 'peers.yaml')
  await writeFile(path, JSON.stringify({ peers }))
  const session = stack.use(
    await startEcrSession({ ...options, environment: { ...options.environment, LADING_PEERS: path } }),
  )
  await replicateTo(session.ecr, [there])
  const owned = stack.move()
  return { ...session, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

export interface PairOptions {
  readonly source?: ServerOptions
  readonly destination?: ServerOptions
  readonly kind?: 'lading' | 'ecr'
  /** Of the entry in the file of peers. */
  readonly entry?: PeerEntry
  /** Where the source finds the destination, if not at its own address. */
  readonly through?: (url: string) => Promise<string>
}

/** Both accounts have the same number, as accounts of ECR have in all regions. */
export async function startPair({
  source = {},
  destination = {},
  kind = 'lading',
  entry = {},
  through = async (url) => url,
}: PairOptions = {}): Promise<PeerPair> {
  await using stack = new AsyncDisposableStack()
  const far = stack.use(
    await startEcrSession({ ...destination, environment: { ...destination.environment, LADING_REGION: there.region } }),
  )
  const { accessKeyId, secretAccessKey } = far.server.credentials
  const peer = {
    ...{ name: 'far', kind, url: await through(far.server.url), accessKeyId, secretAccessKey },
    registries: [{ account: there.registryId, region: there.region }],
    ...entry,
  }
  const near = stack.use(await startSource([peer], source))
  const owned = stack.move()
  return { source: near, destination: far, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
