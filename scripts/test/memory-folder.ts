// Tests start some hundred databases. Each syncs its files at every commit, which costs a disk more time than the tests need themselves.

import { readFileSync, statfsSync } from 'node:fs'

const path = '/dev/shm'
const roomWanted = 2 * 1024 ** 3

/** A folder for temporary files that lies in memory, where this machine has one with enough room. */
export function memoryFolder(): string | undefined {
  try {
    const { bavail, bsize } = statfsSync(path)
    const room = Math.min(bavail * bsize, process.availableMemory())
    return room >= roomWanted && isOfUse(readFileSync('/proc/mounts', 'utf8')) ? path : undefined
  } catch {
    // Another system than Linux.
    return undefined
  }
}

/** Some tests write programs and run them, which a container's folder may forbid. */
function isOfUse(mounts: string): boolean {
  const mount = mounts.split('\n').findLast((line) => line.split(' ')[1] === path)
  const [, , type, options = ''] = mount?.split(' ') ?? []
  return type === 'tmpfs' && !options.split(',').includes('noexec')
}
