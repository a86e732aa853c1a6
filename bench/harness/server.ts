/**
 * A server under measurement: a child process of its own over a data folder of its own, both gone afterwards, reached on
 * 127.0.0.1 alone. Whatever it says goes to files in its folder, whose ends are shown if it fails to start.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

export interface Server extends AsyncDisposable {
  readonly name: 'Lading' | 'Distribution'
  readonly port: number
  readonly pid: number
  /** The password of the user `AWS`, where the server asks who sends a request. */
  readonly password: string | undefined
  createRepository(name: string): Promise<void>
  /** The same server as a user knows it who may pull, by a policy that AWS manages; itself where nobody is asked. */
  asUser(): Promise<Server>
}

export interface ServerProcess extends AsyncDisposable {
  readonly pid: number
  readonly folder: string
  /** What `find` gives once it gives something, asked again and again while the process lives. */
  until<T>(find: () => Promise<T | undefined>): Promise<T>
  /** Resolves once the process has exited. */
  ended(): Promise<void>
  /** All that it has written to standard output. */
  output(): Promise<string>
}

const pollMs = 5
const patienceMs = 20_000

export async function startProcess(
  command: (folder: string) => Promise<{ program: string; args: string[]; env: Record<string, string> }>,
): Promise<ServerProcess> {
  const folder = await temporaryFolder()
  const { program, args, env } = await command(folder.path)
  const paths = [join(folder.path, 'stdout'), join(folder.path, 'stderr')] as const
  const [stdout, stderr] = paths.map((path) => openSync(path, 'w'))
  const child = spawn(program, args, { cwd: folder.path, env, stdio: ['ignore', stdout, stderr] })
  for (const file of [stdout, stderr]) if (file !== undefined) closeSync(file)
  await once(child, 'spawn')

  return {
    pid: child.pid ?? 0,
    folder: folder.path,
    output: () => readFile(paths[0], 'utf8'),
    async ended() {
      if (!hasEnded(child)) await once(child, 'exit')
    },
    async until(find) {
      const startedAt = performance.now()
      for (;;) {
        const found = await find()
        if (found !== undefined) return found
        if (hasEnded(child) || performance.now() - startedAt > patienceMs) {
          const said = await Promise.all(paths.map((path) => readFile(path, 'utf8')))
          throw new Error(`${program} ${args.join(' ')} does not serve\n${said.join('').slice(-2000)}`)
        }
        await delay(pollMs)
      }
    },
    async [Symbol.asyncDispose]() {
      if (!hasEnded(child)) {
        const exited = once(child, 'exit')
        child.kill('SIGKILL')
        await exited
      }
      await folder[Symbol.asyncDispose]()
    },
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
