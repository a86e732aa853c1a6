// The command line as a process: its arguments, its environment. `bin/lading.js` sees to it that this is a Node that reads it.

import { runCommandLine } from './command-line.ts'

await runCommandLine(process.argv, process.env)
