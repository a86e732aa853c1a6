import { backUp } from '#backup/backup.ts'
import { openBackupTarget } from '#backup/open.ts'
import { FileBlobStore } from '#blobs/file.ts'
import { openSetting } from '#config/open-setting.ts'
import { findSecretKey } from '#iam/secret-key.ts'
import { systemClock } from '#lib/clock.ts'
import { isCurrent } from '#metadata/migrate.ts'
import { withSnapshot } from '#metadata/snapshot.ts'
import { holdCollection } from '#registry/collection/holds.ts'
import { type Call, type Command, CommandError } from './command.ts'
import { requireDatabase } from './deployment.ts'

export const backupCommand: Command = {
  name: 'backup',
  description: 'back up the database and the blobs, while servers serve, to a folder or a .tar file',
  arguments: [
    ['<folder-or-file.tar>', 'a folder, in which a later backup copies only what is new, or a file that is not there'],
  ],
  options: [
    ['--with-secret-key', 'put the key in it that opens its secrets; whoever has such a backup has everything'],
  ],
  settings: ['blobs'],
  example: 'lading backup /mnt/backups/lading',
  run: backupTo,
}

async function backupTo({ arguments: [path = ''], options, settings, output, open }: Call): Promise<void> {
  await requireDatabase(settings)
  // Before anything is made anywhere.
  const current = await openSetting(settings, 'database', () =>
    withSnapshot(settings.database, async ({ migrations }) => isCurrent(migrations)),
  )
  const withKey = options.withSecretKey === true
  const secretKey = withKey ? (settings.secretKey ?? (await findSecretKey(settings.dataDir))) : undefined
  if (withKey && secretKey === undefined) throw new CommandError(`${settings.dataDir} holds no secret.key`)
  const blobs = await openSetting(settings, 'blobs', () => FileBlobStore.open(settings.blobs.path))
  await using target = await openBackupTarget(path)
  // Servers of an older version, of which the schema is then, collect nothing.
  await using _hold = current ? await holdCollection(await open()) : undefined
  const done = await backUp({ database: settings.database, blobs, clock: systemClock, secretKey }, target)
  output.show({
    backup: path,
    createdAt: done.createdAt,
    repositories: done.rows.repository,
    images: done.rows.manifest,
    blobs: done.blobs.count,
    blobBytes: done.blobs.bytes,
    blobsCopied: done.blobs.copied,
    blobsMissing: done.blobs.missing,
    secretKey: withKey,
  })
  output.note(
    withKey
      ? 'It holds the key that opens its secrets: guard it like one.'
      : `Its secrets stay sealed: keep ${settings.secretKey ? 'the secret key of the settings' : 'secret.key'} apart, for without it nobody can sign in after a restore.`,
  )
}
