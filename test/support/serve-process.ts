import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { inheritedEnvironment } from './run.ts'

/** `lading serve` as a process of its own, for what only a process shows: signals, exit codes, what it prints. */
export interface ServeProcess extends AsyncDisposable {
  readonly pid: number
  /** Everything printed so far. */
  output(): string
  /** Everything logged so far, or said of a start that failed. */
  errors(): string
  /** Resolves with the first match of `pattern` in the output or the errors; rejects if the process exits before. */
  says(pattern: RegExp): Promise<RegExpExecArray>
  /** Its URL, once it serves. */
  url(): Promise<string>
  signal(signal: NodeJS.Signals): void
  /** Leaves what it logs from now on in the pipe, until that is full. */
  stopReadingErrors(): void
  readonly exit: Promise<number | null>
}

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export interface ServeProcessOptions {
  /** How many files and sockets it may have open; the limit of the tests by default. */
  readonly descriptors?: number
  /** A program with its arguments that runs the server in its own place, so that signals reach the server. */
  readonly under?: readonly string[]
}

/** Starts it with those flags, and with none of the settings of the shell that runs the tests. */
export function startServeProcess(
  flags: readonly string[],
  { descriptors, under = [] }: ServeProcessOptions = {},
): ServeProcess {
  const command = [...under, process.execPath, main, 'serve', ...flags]
  const limited = descriptors === undefined ? [] : ['/bin/sh', '-c', `ulimit -n ${descriptors}; exec "$0" "$@"`]
  return startProcess([...limited, ...command])
}

/** The same of any program. */
export function startProcess([program = '', ...args]: readonly string[]): ServeProcess {
  const child = spawn(program, args, {
    env: inheritedEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { output: '', errors: '' }
  const listeners = new Set<() => void>()
  const hear = (stream: keyof typeof said) => (chunk: string) => {
    said[stream] += chunk
    for (const listener of listeners) listener()
  }
  child.stdout.setEncoding('utf8').on('data', hear('output'))
  child.stderr.setEncoding('utf8').on('data', hear('errors'))
  const exit = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  // One whose reading was stopped would keep the process from counting as closed.
  child.on('exit', () => child.stderr.resume())

  async function says(pattern: RegExp): Promise<RegExpExecArray> {
    const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>()
    const listen = () => {
      const match = pattern.exec(said.output) ?? pattern.exec(said.errors)
      if (match) resolve(match)
    }
    listeners.add(listen)
    listen()
    void exit.then(() => reject(new Error(`exited without ${pattern}: ${said.output}${said.errors}`)))
    return promise.finally(() => listeners.delete(listen))
  }
  return {
    pid: child.pid ?? 0,
    output: () => said.output,
    errors: () => said.errors,
    says,
    url: async () => (await says(/^Lading serves (\S+)$/m))[1] ?? '',
    signal: (signal) => void child.kill(signal),
    stopReadingErrors: () => void child.stderr.pause(),
    exit,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exit
    },
  }
}
