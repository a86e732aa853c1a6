/**
 * Programs that are not ours, run to their end. Whether one is on this machine decides if a test is skipped, aloud; in
 * CI (`CI=true`) all of them are required, and a missing one fails the test that needs it.
 */
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'

/** Where Debian keeps what only root is expected to call, such as debootstrap and dockerd. */
const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']

/** The full path of a program, or nothing if this machine lacks it. */
export function findProgram(name: string): string | undefined {
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

export const inContinuousIntegration = process.env.CI === 'true'

/** Programs that are there for root alone, and so count as missing for anybody else. */
const forRootAlone = new Set(['containerd', 'debootstrap', 'dockerd'])

/** Options of a test that needs these programs: a reason to skip it, except in CI, where it must run. */
export function needs(...programs: string[]): { skip: string | false } {
  const missing = programs.filter((name) => findProgram(name) === undefined || (forRootAlone.has(name) && !isRoot()))
  return { skip: !inContinuousIntegration && missing.length > 0 && `not on this machine: ${missing.join(', ')}` }
}

/** This process's environment without the settings of whoever runs the tests, which are for the tests and not for what they run. */
export function inheritedEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('LADING_')))
}

export interface RunOptions {
  /** Added to `inheritedEnvironment`. */
  env?: Record<string, string> | undefined
  /** Given to the program's standard input, which is empty otherwise. */
  input?: string | Uint8Array | undefined
  cwd?: string | undefined
}

/**
 * The standard output of a program that ends with 0.
 *
 * @throws Error with the command and what it wrote on standard error
 */
export async function run(
  program: string,
  args: readonly string[],
  { env, input, cwd }: RunOptions = {},
): Promise<string> {
  const path = findProgram(program)
  if (path === undefined) throw new Error(`${program} is not on this machine`)
  const child = spawn(path, args, { cwd, env: { ...inheritedEnvironment(), ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.on('error', () => {}) // a program may end without reading all of its input; its exit code tells
  child.stdin.end(input)
  const exit = Promise.withResolvers<number | NodeJS.Signals>()
  child.on('error', exit.reject)
  child.on('close', (code, signal) => exit.resolve(code ?? signal ?? 0))
  const [output, complaint, ended] = await Promise.all([text(child.stdout), text(child.stderr), exit.promise])
  if (ended !== 0) throw new Error(`${program} ${args.join(' ')}: ended with ${ended}\n${complaint}${output}`)
  return output
}

function isRoot(): boolean {
  return process.getuid?.() === 0
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
