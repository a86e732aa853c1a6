/** Pull-through caches of a stand-in for Docker Hub, each a new process on an empty folder. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram } from '#test/support/run.ts'
import type { Hub } from '#test/support/upstreams/hub.ts'
import { answers } from './distribution.ts'
import { freePort } from './free-port.ts'
import { startLading } from './lading.ts'
import { startProcess } from './server.ts'

export interface PullThroughCache extends AsyncDisposable {
  readonly port: number
  /** The header of each request. */
  readonly authorization: string
  /** What the paths of the hub's repositories begin with. */
  readonly prefix: string
}

export async function startLadingCache(hub: Hub): Promise<PullThroughCache> {
  await using stack = new AsyncDisposableStack()
  const environment = { LADING_UPSTREAMS: `registry-1.docker.io=${hub.url},${hub.cdnHost}` }
  const { port, password, ecr } = stack.use(await startLading({ environment }))
  await ecr.createPullThroughCacheRule({ ecrRepositoryPrefix: 'hub', upstreamRegistryUrl: 'registry-1.docker.io' })
  const authorization = `Basic ${Buffer.from(`AWS:${password}`).toString('base64')}`
  return { port, authorization, prefix: '/v2/hub/', ...owner(stack) }
}

/** CNCF Distribution as a proxy. `docker-registry` is Debian's package of version 2, `registry` the program of version 3. */
export async function startDistributionCache(
  program: 'docker-registry' | 'registry',
  hub: Hub,
): Promise<PullThroughCache> {
  const port = await freePort()
  await using stack = new AsyncDisposableStack()
  const process = stack.use(
    await startProcess(async (folder) => {
      const path = join(folder, 'config.yml')
      await writeFile(path, configuration(port, join(folder, 'data'), hub.url))
      // Version 3 would send traces elsewhere.
      const env = { OTEL_TRACES_EXPORTER: 'none' }
      return { program: findProgram(program) ?? program, args: ['serve', path], env }
    }),
  )
  await process.until(() => answers(`http://127.0.0.1:${port}/v2/`))
  return { port, authorization: '', prefix: '/v2/', ...owner(stack) }
}

function configuration(port: number, folder: string, upstream: string): string {
  return `version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: ${JSON.stringify(folder)} } }
http: { addr: "127.0.0.1:${port}" }
proxy: { remoteurl: ${JSON.stringify(upstream)} }
`
}

function owner(stack: AsyncDisposableStack): AsyncDisposable {
  const running = stack.move()
  return { [Symbol.asyncDispose]: () => running.disposeAsync() }
}
