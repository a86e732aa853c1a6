#!/usr/bin/env node
// The command `lading`, in JavaScript that any Node reads, because the rest is TypeScript, which an old one does not. The
// machine's own Node runs it where that is new enough. Otherwise the Node that `npm ci` brought does, or an error names the
// version that is needed.

import { spawn } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const main = new URL('../src/main.ts', import.meta.url)
// On Windows this is a script for a shell. There npm puts the right Node first in the path of what it starts.
const bundled = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url))

// npm starts what it runs by a shell. Where that is dash, a signal to npm ends the shell and goes no further, and nobody would
// be left to end this process. Only of our own scripts: what another one starts in the background is to outlive it.
if (process.env.npm_package_name === 'lading' && ['start', 'lading'].includes(process.env.npm_lifecycle_event ?? '')) {
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    process.kill(process.pid, 'SIGTERM')
  }, 250).unref()
}

if (isNewEnough(process.versions.node)) {
  const machines = machineNode()
  if (machines !== undefined && isThisNode(bundled) && !isThisNode(machines)) becomeProcessOf(machines)
  await import(main.href)
} else if (process.platform !== 'win32' && existsSync(bundled)) handOver()
else {
  process.stderr.write(`lading: this is Node ${process.versions.node}: expected Node 24.12 or later\n`)
  process.exitCode = 1
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number)
  return major > 24 || (major === 24 && minor >= 12)
}

function isThisNode(path) {
  return existsSync(path) && realpathSync(process.execPath) === realpathSync(path)
}

/** npm puts the bundled Node first in the path of its scripts, and names the Node that runs npm itself. */
function machineNode() {
  const { npm_node_execpath: path, npm_config_user_agent: agent } = process.env
  if (path === undefined || !existsSync(path)) return undefined
  const [, version] = /(?:^| )node\/v(\d+\.\d+)\./.exec(agent ?? '') ?? []
  return version !== undefined && isNewEnough(version) ? path : undefined
}

/** Replaces this process, so that its parent, its signals and its exit code stay. Windows has no such call. */
function becomeProcessOf(node) {
  process.execve?.(node, [node, fileURLToPath(import.meta.url), ...process.argv.slice(2)], process.env)
}

function handOver() {
  const child = spawn(bundled, [fileURLToPath(main), ...process.argv.slice(2)], {
    // By the channel the child learns that this process is gone, however it went.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', ({ message }) => {
    process.stderr.write(`lading: cannot run ${bundled}: ${message}\n`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code)
    // Ends by the same signal, as the child would have without this process.
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}
