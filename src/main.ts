// The command line as a process: its arguments, its environment. `bin/lading.js` finds a Node that reads this file.

import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

// Before anything else loads: a process starts in half the time with what an earlier one compiled (benchmark: start).
// Beside the code, not in a temporary folder: code that another user of the machine cached must not run here.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/node', import.meta.url)))

// Node 24 warns that node:sqlite may change. Standard error is for JSON lines of the log and for messages of commands.
const warnings = process.listeners('warning')
process.removeAllListeners('warning').on('warning', (warning) => {
  if (warning.name !== 'ExperimentalWarning') for (const show of warnings) show(warning)
})

const { runCommandLine } = await import('./command-line.ts')
await runCommandLine(process.argv, process.env)
