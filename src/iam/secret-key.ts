import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeDurableFolder } from '#lib/durable-folder.ts'
import { keepFile } from '#lib/keep-file.ts'
import { ifPresent } from '#lib/system-error.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import { createSecretBox, type SecretBox, secretKeyBytes } from './secret-box.ts'

/**
 * The key under which secrets are sealed: the setting's, or that of the file `secret.key` in the data folder, which the first
 * start makes. A database belongs to one key: with another nothing opens, and the start says so instead of each request.
 */
export interface SecretKeySource {
  readonly metadata: Metadata
  /** Of the setting; where absent the data folder's counts. */
  readonly secretKey: Buffer | undefined
  readonly dataDir: string
}

const fileName = 'secret.key'

/** @throws Error where the database's secrets were sealed with another key */
export async function openSecrets({ metadata, secretKey, dataDir }: SecretKeySource): Promise<SecretBox> {
  const box = createSecretBox(secretKey ?? (await keyOfFolder(dataDir, metadata)))
  await metadata.transaction((trx) => requireSameKey(trx, box))
  return box
}

/**
 * However many processes ask at once, all get the same; one that was answered survives power loss. None is made for a database that
 * has one elsewhere, such as after a restore.
 */
async function keyOfFolder(folder: string, { reader }: Metadata): Promise<Buffer> {
  // Asked before the folder is, which has a key of its own before the database knows of it.
  const sealed = await reader.selectFrom('secret_check').select('id').where('id', '=', checkId).executeTakeFirst()
  const found = await findSecretKey(folder)
  if (found !== undefined) return found
  if (sealed !== undefined) throw new Error(`${join(folder, fileName)} is missing: put it there`)
  return keepSecretKey(folder, randomBytes(secretKeyBytes))
}

/** The key of that data folder, if it has one. @throws Error where its file holds something else */
export async function findSecretKey(folder: string): Promise<Buffer | undefined> {
  const path = join(folder, fileName)
  const text = await ifPresent(readFile(path, 'utf8'))
  if (text === undefined) return undefined
  const key = Buffer.from(text.trim(), 'base64')
  if (key.byteLength !== secretKeyBytes) throw new Error(`${path} does not hold ${secretKeyBytes} bytes in base64`)
  return key
}

/** Makes it the key of that data folder unless there is one, and answers the one that there is then. */
export async function keepSecretKey(folder: string, key: Buffer): Promise<Buffer> {
  await makeDurableFolder(folder)
  const path = join(folder, fileName)
  await keepFile(path, `${key.toString('base64')}\n`)
  const kept = await findSecretKey(folder)
  if (kept === undefined) throw new Error(`${path} is gone`)
  return kept
}

const checkId = 'check'
const checkText = 'lading'

/** The first start seals a text; who cannot open it has another key. What was stored before there was a key is sealed then. */
async function requireSameKey(trx: Transaction, box: SecretBox): Promise<void> {
  const made = await trx
    .insertInto('secret_check')
    .values({ id: checkId, sealed: box.seal(checkText) })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst()
  if (made !== undefined) return sealStored(trx, box)
  const { sealed } = await trx
    .selectFrom('secret_check')
    .select('sealed')
    .where('id', '=', checkId)
    .executeTakeFirstOrThrow()
  try {
    box.open(sealed)
  } catch (cause) {
    throw new Error(
      `the secrets of this database were sealed with another key than that of ${fileName} or the setting`,
      {
        cause,
      },
    )
  }
}

async function sealStored(trx: Transaction, box: SecretBox): Promise<void> {
  for (const table of ['access_key', 'token_key'] as const) {
    for (const { id, secret } of await trx.selectFrom(table).select(['id', 'secret']).execute()) {
      await trx
        .updateTable(table)
        .set({ secret: box.seal(secret) })
        .where('id', '=', id)
        .execute()
    }
  }
}
