import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ifPresent } from '#lib/system-error.ts'
import { folderSource, folderTarget } from './folder.ts'
import type { BackupSource, BackupTarget } from './places.ts'
import { refuse } from './refusals.ts'
import { tarSource, tarTarget } from './tar.ts'

/** A name that ends so is an archive's, and any other a folder's. */
const isArchive = (path: string) => path.endsWith('.tar')

/** @throws Refusal `BackupPlaceTaken` */
export function openBackupTarget(path: string): Promise<BackupTarget> {
  return isArchive(path) ? tarTarget(path) : folderTarget(path)
}

/** @throws Refusal `BackupIncomplete` where nothing is */
export async function openBackupSource(path: string): Promise<BackupSource> {
  const stats = await ifPresent(stat(path))
  if (stats === undefined) throw refuse('BackupIncomplete', { path: resolve(path), problem: 'nothing is there' })
  return stats.isDirectory() ? folderSource(path) : tarSource(path)
}
