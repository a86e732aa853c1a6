#!/usr/bin/env node
// The command `lading`. This file imports nothing itself, so that a Node too old for the rest is told so in one line.

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 12)) {
  process.stderr.write(`lading: this is Node ${process.versions.node}: expected Node 24.12 or later\n`)
  process.exit(1)
}
const { runCommandLine } = await import('./command-line.ts')
await runCommandLine(process.argv, process.env)
