/** Processes of Lading over one data folder, with a rule of the pull-through cache for a stand-in for Docker Hub. */
import { CreatePullThroughCacheRuleCommand, ECRClient } from '@aws-sdk/client-ecr'
import type { Registry } from '#test/support/push.ts'
import { type ServeProcess, startServeProcess } from '#test/support/serve-process.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import type { Hub } from './hub.ts'

export interface CacheProcesses extends AsyncDisposable {
  readonly dataFolder: string
  /** Those that run. */
  readonly running: readonly CacheProcess[]
  start(): Promise<CacheProcess>
}

export interface CacheProcess extends Registry {
  readonly process: ServeProcess
  readonly port: number
  /** Resolves once it has ended. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
}

const rootKey = { accessKeyId: 'AKIASTORMSTORMSTORM1', secretAccessKey: 'storm-secret-storm-secret-storm-secret-s' }
const authorization = `Basic ${Buffer.from(`${rootKey.accessKeyId}:${rootKey.secretAccessKey}`).toString('base64')}`

/** The rule caches the hub under `hub`. */
export async function startCacheProcesses(
  hub: Pick<Hub, 'url' | 'cdnHost'>,
  { count, database, flags = [] }: { count: number; database: string; flags?: readonly string[] },
): Promise<CacheProcesses> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const running = new Set<CacheProcess>()
  stack.defer(async () => {
    for (const { process } of running) await process[Symbol.asyncDispose]()
  })

  async function start(): Promise<CacheProcess> {
    const process = startServeProcess([
      ...['--listen', '127.0.0.1:0', '--data-dir', folder.path, '--database', database, '--log', 'warn'],
      ...['--root-access-key-id', rootKey.accessKeyId, '--root-secret-access-key', rootKey.secretAccessKey],
      ...['--access-key-login', 'on', '--upstreams', `registry-1.docker.io=${hub.url},${hub.cdnHost}`],
      ...flags,
    ])
    try {
      const url = await process.url()
      const started: CacheProcess = {
        ...{ process, url, authorization, port: Number(new URL(url).port) },
        async end(signal) {
          running.delete(started)
          process.signal(signal)
          await process.exit
        },
      }
      running.add(started)
      return started
    } catch (error) {
      await process[Symbol.asyncDispose]()
      throw error
    }
  }

  const { url } = await start()
  const ecr = new ECRClient({ endpoint: url, region: 'us-east-1', credentials: rootKey })
  const rule = { ecrRepositoryPrefix: 'hub', upstreamRegistryUrl: 'registry-1.docker.io' }
  await ecr.send(new CreatePullThroughCacheRuleCommand(rule)).finally(() => ecr.destroy())
  while (running.size < count) await start()
  const all = stack.move()
  return {
    dataFolder: folder.path,
    get running() {
      return [...running]
    },
    start,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}
