import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { openSetting } from '#config/open-setting.ts'
import type { Settings } from '#config/settings.ts'
import { type Accounts, createAccounts } from '#iam/accounts.ts'
import { createManagement } from '#iam/management.ts'
import type { SecretBox } from '#iam/secret-box.ts'
import { openSecrets } from '#iam/secret-key.ts'
import { type Clock, systemClock } from '#lib/clock.ts'
import { ifPresent } from '#lib/system-error.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { openMetadata } from '#metadata/open.ts'
import { renameInResourcePolicies } from '#registry/principal-changes.ts'

/**
 * What a command works on: the database of the settings, opened directly, while servers over it may run. The key that seals
 * its secrets is opened only by those commands that need it.
 */
export interface Deployment extends AsyncDisposable {
  readonly settings: Settings
  readonly clock: Clock
  readonly metadata: Metadata
  readonly accounts: Accounts
  /** Whoever makes keys by it opens the secrets first. */
  readonly management: Management
  /** @throws SettingError where the key is another than the database's */
  secrets(): Promise<SecretBox>
}

export type Management = ReturnType<typeof createManagement>

/** @throws SettingError where there is no database yet */
export async function openDeployment(settings: Settings): Promise<Deployment> {
  const { database } = settings
  await requireDatabase(settings)
  // A lost connection is met by the query that needs it.
  const metadata = await openSetting(settings, 'database', () => openMetadata(database, () => {}, 'current'))
  const clock = systemClock
  let box: SecretBox | undefined
  const seal = (text: string) => {
    assert(box, 'whoever makes keys opens the secrets first')
    return box.seal(text)
  }
  return {
    settings,
    clock,
    metadata,
    accounts: createAccounts({ metadata, clock }),
    management: createManagement({
      reader: metadata.reader,
      change: (work) => metadata.transaction(work),
      clock,
      box: { seal },
      principalChanged: [renameInResourcePolicies],
    }),
    async secrets() {
      box ??= await openSetting(settings, 'secretKey', () => openSecrets({ metadata, ...settings }))
      return box
    },
    [Symbol.asyncDispose]: () => metadata.close(),
  }
}

/** Whoever mistyped the data folder is not given an empty database in another. @throws SettingError */
export async function requireDatabase({ database, origins }: Settings): Promise<void> {
  if (!database.startsWith('sqlite:')) return
  await openSetting({ origins }, 'database', async () => {
    if ((await ifPresent(stat(database.slice('sqlite:'.length)))) === undefined)
      throw new Error('there is none yet: the first lading serve makes it')
  })
}
