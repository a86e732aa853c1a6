import { parsePolicy } from '#iam/policy/document.ts'
import type { PolicyRefusals } from '#iam/policy/refusals.ts'
import { Refusal } from '#lib/refusal.ts'
import type { Metadata, Reader, Transaction } from '#metadata/metadata.ts'
import type { Registry } from '#names/registry.ts'
import { refuse } from './refusals.ts'
import { registryPolicySetting } from './registry-policy.ts'
import { defineSetting, lockSetting, type RegistrySettings, readSetting, type Setting } from './settings.ts'

/**
 * What ECR calls account settings: three switches, each of one registry (ECR API reference, PutAccountSetting). Here they are
 * kept; whoever does what they switch reads them.
 */
export interface AccountSettings {
  /** @throws Refusal `AccountSettingUnknown` */
  get(registry: Registry, name: string): Promise<AccountSetting>
  /** @throws Refusal `AccountSettingUnknown`, `AccountSettingValueUnknown`, `RegistryPolicyBeyondScope` */
  put(registry: Registry, name: string, value: string): Promise<AccountSetting>
}

export interface AccountSetting<Name extends AccountSettingName = AccountSettingName> {
  readonly name: Name
  readonly value: AccountSettingValue<Name>
}

/** The values of each, the first of which is that of a registry that has put none. */
const values = {
  /** The engine of basic scanning. */
  BASIC_SCAN_TYPE_VERSION: ['AWS_NATIVE', 'CLAIR'],
  /** Whether the registry policy is about every action, or about three (user guide, "Private registry policy scope"). */
  REGISTRY_POLICY_SCOPE: ['V2', 'V1'],
  /** Whether a push may take a layer from another repository of the registry. */
  BLOB_MOUNTING: ['DISABLED', 'ENABLED'],
} as const satisfies Readonly<Record<string, readonly [fallback: string, ...others: string[]]>>

export type AccountSettingName = keyof typeof values
export type AccountSettingValue<Name extends AccountSettingName> = (typeof values)[Name][number]

export function createAccountSettings({
  metadata,
  settings,
}: {
  metadata: Metadata
  settings: RegistrySettings
}): AccountSettings {
  return {
    async get(registry, text) {
      const name = parseName(text)
      return { name, value: await readAccountSetting(metadata.reader, registry, name) }
    },

    async put(registry, text, given) {
      const name = parseName(text)
      const value = parseValue(name, given)
      await metadata.transaction(async (trx) => {
        if (value === 'V1') await requirePolicyWithinV1(trx, registry)
        await settings.put(registry, settingOf(name), value, trx)
      })
      return { name, value }
    },
  }
}

export function readAccountSetting<Name extends AccountSettingName>(
  reader: Reader,
  registry: Registry,
  name: Name,
): Promise<AccountSettingValue<Name>> {
  return readSetting(reader, registry, settingOf(name))
}

function settingOf<Name extends AccountSettingName>(name: Name): Setting<AccountSettingValue<Name>> {
  const [fallback]: readonly [AccountSettingValue<Name>, ...unknown[]] = values[name]
  return defineSetting({
    name: `account-setting/${name}`,
    // Only a value of the setting is put.
    parse: (document) => document as AccountSettingValue<Name>,
    fallback,
  })
}

function parseName(text: string): AccountSettingName {
  const names = Object.keys(values)
  if (!isName(text)) throw refuse('AccountSettingUnknown', { names })
  return text
}

function isName(text: string): text is AccountSettingName {
  return Object.hasOwn(values, text)
}

function parseValue<Name extends AccountSettingName>(name: Name, text: string): AccountSettingValue<Name> {
  const known: readonly AccountSettingValue<Name>[] = values[name]
  const value = known.find((each) => each === text)
  if (value === undefined) throw refuse('AccountSettingValueUnknown', { values: known })
  return value
}

/** Under the lock that putting a policy takes too, so that neither slips in between the other's check and its write. */
async function requirePolicyWithinV1(trx: Transaction, registry: Registry): Promise<void> {
  const policy = await lockSetting(trx, registry, registryPolicySetting)
  if (policy === undefined) return
  try {
    parsePolicy(policy.text, 'registry V1')
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== ('PolicyMalformed' satisfies keyof PolicyRefusals)) throw error
    throw refuse('RegistryPolicyBeyondScope', {})
  }
}
