/**
 * A Docker engine of our own: its data, sockets and state in a folder, no bridge, no firewall rules, and so no trace
 * on the machine once it has ended. Docker takes registries on 127.0.0.0/8 without TLS by itself.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { findProgram } from './run.ts'

export interface DockerEngine extends AsyncDisposable {
  /** The value of `DOCKER_HOST`. */
  host: string
}

export interface EngineOptions {
  /** The content of `daemon.json`. */
  readonly settings?: string
  /** Beside that of this process. */
  readonly environment?: Readonly<Record<string, string>>
}

/** Starts `dockerd` with everything in `folder`. @throws Error with the end of its log if it cannot run here */
export async function startDockerEngine(
  folder: string,
  { settings = '{}', environment = {} }: EngineOptions = {},
): Promise<DockerEngine> {
  const host = `unix://${join(folder, 'docker.sock')}`
  const inFolder = (name: string) => join(folder, name)
  await writeFile(inFolder('daemon.json'), settings) // or it would read the machine's own
  const daemon = spawn(
    findProgram('dockerd') ?? 'dockerd',
    [
      ...['--host', host, '--data-root', inFolder('data'), '--exec-root', inFolder('exec')],
      ...['--pidfile', inFolder('pid'), '--config-file', inFolder('daemon.json')],
      ...['--bridge', 'none', '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false'],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...environment } },
  )
  const exited = once(daemon, 'exit')
  const log: string[] = []
  const listening = Promise.withResolvers<void>()
  createInterface(daemon.stderr).on('line', (line) => {
    log.push(line)
    if (line.includes('API listen on')) listening.resolve()
  })
  await Promise.race([
    listening.promise,
    exited.then(() => Promise.reject(new Error(`dockerd does not run here: ${log.slice(-3).join('; ')}`))),
  ])
  return {
    host,
    [Symbol.asyncDispose]: async () => {
      daemon.kill('SIGTERM')
      await exited
    },
  }
}
