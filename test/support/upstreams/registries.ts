/** Registries of others, each a process with its content in memory, as upstreams of a Lading under test. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram } from '#test/support/run.ts'
import { startProcess } from '#test/support/serve-process.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

export interface RegistryProcess extends AsyncDisposable {
  readonly url: string
}

/** CNCF Distribution: `docker-registry` is Debian's package of version 2, `registry` the program of version 3. */
export async function startDistribution(
  program: 'docker-registry' | 'registry',
  options: { readonly auth?: object } = {},
): Promise<RegistryProcess> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const path = join(folder.path, 'config.yml')
  const http = { addr: '127.0.0.1:0', secret: 'of a test' }
  // YAML takes JSON.
  await writeFile(
    path,
    JSON.stringify({ version: 0.1, storage: { inmemory: {}, delete: { enabled: true } }, http, ...options }),
  )
  // Version 3 would send traces elsewhere.
  const command = ['/usr/bin/env', 'OTEL_TRACES_EXPORTER=none', findProgram(program) ?? program, 'serve', path]
  const child = stack.use(startProcess(command))
  const [, host = ''] = await child.says(/listening on (127\.0\.0\.1:\d+)/)
  return { url: `http://${host}`, ...owner(stack) }
}

/** The registry of go-containerregistry, which has the referrers API. */
export async function startCraneRegistry(): Promise<RegistryProcess> {
  await using stack = new AsyncDisposableStack()
  const command = [findProgram('crane') ?? 'crane', 'registry', 'serve', '--address', '127.0.0.1:0']
  const child = stack.use(startProcess(command))
  const [, port = ''] = await child.says(/serving on port (\d+)/)
  return { url: `http://127.0.0.1:${port}`, ...owner(stack) }
}

function owner(stack: AsyncDisposableStack): AsyncDisposable {
  const running = stack.move()
  return { [Symbol.asyncDispose]: () => running.disposeAsync() }
}
