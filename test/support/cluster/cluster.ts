/** Server processes over one database and one blob store, by one clock that the test moves, each of which may be killed. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { inheritedEnvironment } from '#test/support/run.ts'

export interface Cluster extends AsyncDisposable {
  /** How far the clock of all processes is ahead of this machine's. */
  readonly aheadMs: number
  /** One of those that serve, another at each call. Waits while none does. */
  url(): Promise<string>
  /** Ends one by SIGKILL and starts another in its place, which serves when this resolves. */
  killOne(): Promise<void>
  /** The same with all of them at once. */
  killAll(): Promise<void>
  moveClock(byMs: number): void
  /** What the processes logged: warnings and errors. */
  log(): string
}

const child = fileURLToPath(new URL('./server-child.ts', import.meta.url))

interface Member {
  readonly process: ChildProcess
  readonly url: Promise<string>
}

export async function startCluster(size: number, environment: Readonly<Record<string, string>>): Promise<Cluster> {
  let aheadMs = 0
  let log = ''
  let turn = 0
  const members: Member[] = []

  function start(): Member {
    const process = fork(child, {
      env: { ...inheritedEnvironment(), ...environment, LADING_TEST_AHEAD_MS: String(aheadMs) },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    process.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      log += chunk
    })
    const url = Promise.race([
      once(process, 'message').then(([message]) => String(message)),
      once(process, 'exit').then(([code, signal]) => {
        throw new Error(`a server ended before it served (${code ?? signal}): ${log}`)
      }),
    ])
    url.catch(() => {})
    return { process, url }
  }

  async function replace(at: number): Promise<void> {
    const killed = members[at]
    if (killed === undefined) return
    const ended = once(killed.process, 'exit')
    killed.process.kill('SIGKILL')
    await ended
    const member = start()
    members[at] = member
    await member.url
  }

  for (let at = 0; at < size; at++) {
    const member = start()
    members.push(member)
    // The first makes the schema and the root key.
    await member.url
  }

  return {
    get aheadMs() {
      return aheadMs
    },

    async url() {
      return Promise.any(members.map((_, at) => members[(turn + at) % members.length]?.url ?? '')).finally(() => turn++)
    },

    killOne: () => replace(turn++ % members.length),

    async killAll() {
      await Promise.all(members.map((_, at) => replace(at)))
    },

    moveClock(byMs) {
      aheadMs += byMs
      for (const { process } of members) if (process.connected) process.send(aheadMs, () => {})
    },

    log: () => log,

    async [Symbol.asyncDispose]() {
      for (const { process } of members) {
        if (process.exitCode !== null || process.signalCode !== null) continue
        const ended = once(process, 'exit')
        process.kill('SIGKILL')
        await ended
      }
    },
  }
}
