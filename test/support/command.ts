/** The commands of `lading` besides `serve`, each as a process of its own, with none of the settings of whoever runs the tests. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { inheritedEnvironment } from './run.ts'

interface Ended {
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

function spawnCommand(words: readonly string[], environment: Readonly<Record<string, string>>) {
  return spawn(process.execPath, [main, ...words], {
    env: { ...inheritedEnvironment(), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function runCommand(words: readonly string[], environment: Readonly<Record<string, string>>): Promise<Ended> {
  const child = spawnCommand(words, environment)
  const exit = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), exit])
  return { code, output, errors }
}

/** Commands over one deployment. */
export interface Commands {
  /** What it prints, which must succeed. */
  run(...words: readonly string[]): Promise<string>
  /** The document that it prints with `--json`. */
  json(...words: readonly string[]): Promise<unknown>
  /** How it ends, with any code. */
  ended(...words: readonly string[]): Promise<Ended>
  /** The line that it ends with, without its end. */
  refusal(...words: readonly string[]): Promise<string>
  /** Interrupts a command that does not end by itself, once it has printed so many lines. `meanwhile` runs again and again until then. */
  lines(words: readonly string[], count: number, meanwhile: () => Promise<unknown>): Promise<readonly string[]>
  /** Kills it as a crash would, as soon as `reached`, which must come before its end. */
  killed(words: readonly string[], reached: () => Promise<boolean>): Promise<void>
}

export function commandsOver(environment: Readonly<Record<string, string>>): Commands {
  const run: Commands['run'] = async (...words) => {
    const { code, output, errors } = await runCommand(words, environment)
    assert.deepEqual({ code, errors }, { code: 0, errors: '' }, `lading ${words.join(' ')}`)
    return output
  }
  return {
    run,
    ended: (...words) => runCommand(words, environment),
    json: async (...words) => JSON.parse(await run(...words, '--json')),
    async refusal(...words) {
      const { code, output, errors } = await runCommand(words, environment)
      assert.deepEqual({ code, output }, { code: 1, output: '' }, errors)
      return /^lading: ([^\n]*)\n$/.exec(errors)?.[1] ?? assert.fail(errors)
    },
    async lines(words, count, meanwhile) {
      const child = spawnCommand(words, environment)
      const exit = once(child, 'exit')
      let output = ''
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk
      })
      const printed = () => output.split('\n').slice(0, -1)
      for (const deadline = Date.now() + 30_000; printed().length < count; await delay(100)) {
        assert.ok(child.exitCode === null && Date.now() < deadline, `lading ${words.join(' ')} printed ${output}`)
        await meanwhile()
      }
      child.kill('SIGINT')
      await exit
      return printed()
    },
    async killed(words, reached) {
      const child = spawnCommand(words, environment)
      const exit = once(child, 'exit')
      while (child.exitCode === null && !(await reached())) await delay(1)
      child.kill('SIGKILL')
      assert.deepEqual(await exit, [null, 'SIGKILL'])
    },
  }
}
