// Tests start some hundred databases. Each syncs its files at every commit, which costs a disk more time than the tests need themselves.

import { statfsSync } from 'node:fs'

const path = '/dev/shm'
/** Linux, statfs(2): TMPFS_MAGIC. */
const tmpfs = 0x01021994
const roomWanted = 2 * 1024 ** 3

/** A folder for temporary files that lies in memory, where this machine has one with enough room. */
export function memoryFolder(): string | undefined {
  try {
    const { type, bavail, bsize } = statfsSync(path)
    const room = Math.min(bavail * bsize, process.availableMemory())
    return type === tmpfs && room >= roomWanted ? path : undefined
  } catch {
    return undefined
  }
}
