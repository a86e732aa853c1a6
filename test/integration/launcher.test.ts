/** `bin/lading.js` under a Node that is too old, which is this one with another version to show. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { inheritedEnvironment } from '#test/support/run.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const launcher = fileURLToPath(new URL('../../bin/lading.js', import.meta.url))

const printsItsNode = 'console.log(process.versions.node as string, ...process.argv.slice(2)); process.exitCode = 3'

interface Ended {
  /** -1 where a signal ended it. */
  readonly code: number
  readonly signal: NodeJS.Signals | null
  readonly output: string
  readonly errors: string
}

/** A copy of the launcher, beside a main file that says under which Node it runs and with what. */
async function installIn(folder: string, main = printsItsNode): Promise<string> {
  for (const name of ['bin', 'src', 'node_modules/.bin']) await mkdir(join(folder, name), { recursive: true })
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await writeFile(join(folder, 'src/main.ts'), main)
  await copyFile(launcher, join(folder, 'bin/lading.js'))
  return join(folder, 'bin/lading.js')
}

function runUnder(version: string, file: string): Promise<Ended> {
  const pretend = `Object.defineProperty(process.versions, 'node', { value: '${version}' })`
  const args = ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`, file, 'serve', '--log=info']
  return runNode(process.execPath, args)
}

function runNode(node: string, args: readonly string[], environment: Record<string, string> = {}): Promise<Ended> {
  const { npm_node_execpath: _, ...inherited } = process.env
  return new Promise((resolve) => {
    const child = execFile(node, args, { env: { ...inherited, ...environment } }, (_, output, errors) =>
      resolve({ code: child.exitCode ?? -1, signal: child.signalCode, output, errors }),
    )
  })
}

test('a Node that is too old hands over to the one that npm brought, and ends as that does', async () => {
  await using folder = await temporaryFolder()
  const file = await installIn(folder.path)
  await symlink(process.execPath, join(folder.path, 'node_modules/.bin/node'))
  const expected = { code: 3, signal: null, output: `${process.versions.node} serve --log=info\n`, errors: '' }
  for (const version of ['20.20.2', '22.18.0', '24.11.9']) assert.deepEqual(await runUnder(version, file), expected)
  assert.equal((await runUnder('24.12.0', file)).output, '24.12.0 serve --log=info\n')
})

test('under npm the machine’s own Node runs it where that is new enough, and the bundled one elsewhere', async () => {
  await using folder = await temporaryFolder()
  const file = await installIn(folder.path)
  const bundled = join(folder.path, 'node_modules/.bin/node')
  await symlink(process.execPath, bundled)
  // A shell script stands for another Node: it prints how it was called.
  const machines = join(folder.path, 'machine-node')
  await writeFile(machines, '#!/bin/sh\necho "machine $*"\n', { mode: 0o755 })
  const underNpm = async (version: string, node = machines) => {
    const npm = { npm_node_execpath: node, npm_config_user_agent: `npm/11.19.1 node/v${version} linux x64` }
    return (await runNode(bundled, [file, 'serve', '--log=info'], npm)).output
  }
  for (const version of ['24.12.0', '27.0.1']) {
    assert.equal(await underNpm(version), `machine ${file} serve --log=info\n`)
  }
  const own = `${process.versions.node} serve --log=info\n`
  for (const version of ['20.20.2', '24.11.9']) assert.equal(await underNpm(version), own)
  assert.equal(await underNpm('26.10.0', bundled), own, 'npm itself runs on the bundled Node')
  assert.equal(await underNpm('26.10.0', join(folder.path, 'gone')), own)
})

test('a Node that is too old and alone says in one line which is needed', async () => {
  await using folder = await temporaryFolder()
  const errors = 'lading: this is Node 20.20.2: expected Node 24.12 or later\n'
  assert.deepEqual(await runUnder('20.20.2', await installIn(folder.path)), {
    code: 1,
    signal: null,
    output: '',
    errors,
  })
})

test('a launcher that handed over ends by the signal that ended the other Node', async () => {
  await using folder = await temporaryFolder()
  await mkdir(join(folder.path, 'node_modules/.bin'), { recursive: true })
  await symlink(process.execPath, join(folder.path, 'node_modules/.bin/node'))
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const file = await installIn(folder.path, `process.kill(process.pid, '${signal}'); setTimeout(() => {}, 60_000)`)
    const { code, signal: ended } = await runUnder('20.20.2', file)
    assert.deepEqual({ code, ended }, { code: -1, ended: signal })
  }
})

test('a server ends if the launcher above it is gone before it serves', { timeout: 30_000 }, async () => {
  await using folder = await temporaryFolder()
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
  const flags = ['serve', '--listen', '127.0.0.1:0', '--data-dir', folder.path]
  const env = inheritedEnvironment()
  const server = spawn(process.execPath, [main, ...flags], { env, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  server.disconnect()
  try {
    assert.deepEqual(await once(server, 'exit', { signal: AbortSignal.timeout(20_000) }), [0, null])
  } finally {
    server.kill('SIGKILL')
  }
})

test('the launcher and the package ask for the same Node', async () => {
  const { engines } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
  assert.ok((await readFile(launcher, 'utf8')).includes(`expected Node ${engines.node.replace('>=', '')} or later`))
})

test('under npm, the server ends with the shell that npm put before it', { timeout: 30_000 }, async () => {
  await using folder = await temporaryFolder()
  // As npm runs a script; the last command keeps the shell from becoming the first.
  const script = `"${process.execPath}" "${launcher}" serve --listen 127.0.0.1:0 --data-dir "${folder.path}"; true`
  const env = { PATH: process.env.PATH, npm_package_name: 'lading', npm_lifecycle_event: 'start' }
  const shell = spawn('sh', ['-c', script], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  const lines = createInterface(shell.stdout)
  const serving = await new Promise<string>((resolve) => {
    lines.on('line', (line) => line.startsWith('Lading serves ') && resolve(line.slice('Lading serves '.length)))
  })
  await fetch(`${serving}/livez`)
  shell.kill('SIGKILL')
  // Held open by the server until it has ended.
  await once(shell, 'close')
  await assert.rejects(fetch(`${serving}/livez`))
})

test('a command runs what an earlier one compiled, from a folder beside the code', async () => {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
  const traced = { NODE_DEBUG_NATIVE: 'COMPILE_CACHE', NODE_COMPILE_CACHE: '' }
  await runNode(process.execPath, [main, '--version'], traced)
  const { output, errors } = await runNode(process.execPath, [main, '--version'], traced)
  assert.match(
    `${output}${errors}`,
    /node_modules\/\.cache\/node\/\S+ for ESM file:\S+\/command-line\.ts\.\.\..* success/,
  )
})

test('standard error has no warnings of experimental features of Node, and has all others', async () => {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
  // Warnings are printed in the next tick, and a command ends by process.exit.
  const warns = `const { exit } = process
    process.exit = (code) => {
      process.emitWarning('sqlite may change', 'ExperimentalWarning')
      process.emitWarning('look at this')
      setImmediate(exit, code)
    }`
  const args = ['--import', `data:text/javascript,${encodeURIComponent(warns)}`, main, '--version']
  const { errors } = await runNode(process.execPath, args)
  assert.match(errors, /Warning: look at this/)
  assert.doesNotMatch(errors, /may change/)
})
