import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * How many files and sockets this process may have open at once; `undefined` where there is no limit or the system does not say.
 * Node raises the soft limit to the hard one when it starts.
 */
export function descriptorLimit(): number | undefined {
  try {
    switch (process.platform) {
      case 'win32':
        return undefined
      case 'linux':
        // proc(5), `/proc/pid/limits`.
        return numberIn(/^Max open files +(\d+) /m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1])
      default:
        return numberIn(execFileSync('/bin/sh', ['-c', 'ulimit -n'], { encoding: 'latin1' }).trim())
    }
  } catch {
    // A container may hide /proc.
    return undefined
  }
}

function numberIn(text = ''): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined
}
