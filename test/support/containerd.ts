/**
 * A containerd of our own: its content, socket and state in a folder, and so no trace on the machine once it has ended. `ctr` finds a
 * registry's settings in the same folder, in the files that containerd's own documentation calls `hosts.toml`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { findProgram, run } from './run.ts'

export interface Containerd extends AsyncDisposable {
  /** Replaces the settings of the registry at a host. */
  setHost(host: string, hostsToml: string): Promise<void>
  /** Pulls and unpacks; gives what `ctr` prints. @throws Error with what it says */
  pull(name: string, options?: PullOptions): Promise<string>
  /** `name@digest` of each image. */
  images(): Promise<readonly string[]>
}

export interface PullOptions {
  /** `AWS:<password>` */
  readonly user?: string
  readonly environment?: Readonly<Record<string, string>>
}

/** What containers need, and pulls do not, some of it outside of the folder. */
const disabled = [
  'io.containerd.grpc.v1.cri',
  'io.containerd.internal.v1.opt',
  'io.containerd.internal.v1.restart',
  'io.containerd.internal.v1.tracing',
  ...['aufs', 'btrfs', 'devmapper', 'overlayfs', 'zfs'].map((name) => `io.containerd.snapshotter.v1.${name}`),
]

/** Starts `containerd` with everything in `folder`. @throws Error with the end of its log if it cannot run here */
export async function startContainerd(folder: string): Promise<Containerd> {
  const [config, address, hosts] = ['config.toml', 'containerd.sock', 'certs.d'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  await writeFile(config, `version = 2\ndisabled_plugins = ${JSON.stringify(disabled)}\n`)
  const daemon = spawn(
    findProgram('containerd') ?? 'containerd',
    [
      ...['--config', config, '--address', address],
      ...['--root', join(folder, 'root'), '--state', join(folder, 'state')],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const exited = once(daemon, 'exit')
  const log: string[] = []
  const serving = Promise.withResolvers<void>()
  createInterface(daemon.stderr).on('line', (line) => {
    log.push(line)
    if (line.includes('successfully booted')) serving.resolve()
  })
  await Promise.race([
    serving.promise,
    exited.then(() => Promise.reject(new Error(`containerd does not run here: ${log.slice(-3).join('; ')}`))),
  ])
  const ctr = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
    run('ctr', ['--address', address, 'images', ...args], { env: environment })
  return {
    async setHost(host, hostsToml) {
      await mkdir(join(hosts, host), { recursive: true })
      await writeFile(join(hosts, host, 'hosts.toml'), hostsToml)
    },
    pull: (name, { user, environment } = {}) =>
      ctr(
        [
          ...['pull', '--hosts-dir', hosts, '--snapshotter', 'native', '--platform', 'linux/amd64'],
          ...(user === undefined ? [] : ['--user', user]),
          name,
        ],
        environment,
      ),
    async images() {
      const [, ...rows] = (await ctr(['list'])).trimEnd().split('\n')
      return rows.map((row) => row.split(/\s+/)).map(([name, , digest]) => `${name}@${digest}`)
    },
    async [Symbol.asyncDispose]() {
      daemon.kill('SIGTERM')
      await exited
    },
  }
}
