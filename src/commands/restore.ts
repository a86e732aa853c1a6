import { openBackupSource } from '#backup/open.ts'
import { restore, type SecretKeyPlace } from '#backup/restore.ts'
import { FileBlobStore } from '#blobs/file.ts'
import { openSetting } from '#config/open-setting.ts'
import type { Settings } from '#config/settings.ts'
import { createSecretBox } from '#iam/secret-box.ts'
import { findSecretKey, keepSecretKey } from '#iam/secret-key.ts'
import type { Call, Command } from './command.ts'

export const restoreCommand: Command = {
  name: 'restore',
  description: 'restore a backup into a database that nobody has used, of either kind; start servers afterwards',
  arguments: [['<folder-or-file.tar>', 'what lading backup wrote']],
  settings: ['blobs'],
  example: 'lading restore /mnt/backups/lading --data-dir /srv/lading',
  run: restoreFrom,
}

const closing = {
  'in place': 'The secret key in place opens its secrets. Start the servers.',
  restored: 'Its secret key is in the data folder. Start the servers.',
  missing:
    'Its secrets are sealed: put its secret.key into the data folder, or set LADING_SECRET_KEY, before servers start.',
}

async function restoreFrom({ arguments: [path = ''], settings, output }: Call): Promise<void> {
  await using source = await openBackupSource(path)
  const blobs = await openSetting(settings, 'blobs', () => FileBlobStore.open(settings.blobs.path))
  const done = await restore({ database: settings.database, blobs, secretKey: keyPlace(settings) }, source)
  output.show({
    backup: path,
    createdAt: done.createdAt,
    accounts: done.rows.account,
    users: done.rows.iam_user,
    repositories: done.rows.repository,
    images: done.rows.manifest,
    tags: done.rows.tag,
    blobs: done.blobs.count,
    blobBytes: done.blobs.bytes,
    blobsCopied: done.blobs.copied,
    blobsMissing: done.blobs.missing,
    secretKey: done.secretKey,
  })
  output.note(closing[done.secretKey])
  if ((await blobs.id()) !== undefined) {
    output.note(
      "The folder of blobs was another database's: once that does not use it, lading gc adopt makes it this one's.",
    )
  }
}

function keyPlace({ secretKey, dataDir }: Settings): SecretKeyPlace {
  return {
    find: async () => secretKey ?? (await findSecretKey(dataDir)),
    opens(key, sealed) {
      try {
        createSecretBox(key).open(sealed)
        return true
      } catch {
        return false
      }
    },
    keep: async (key) => void (await keepSecretKey(dataDir, key)),
  }
}
