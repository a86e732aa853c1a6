import type { Clock } from '#lib/clock.ts'
import type { Metadata, Reader, Transaction } from '#metadata/metadata.ts'
import type { Registry } from '#names/registry.ts'

/**
 * What is configured of a registry as a whole: one JSON document per registry and name. Each room defines the settings that it
 * acts on, and alone knows their shape; a put replaces the whole document, so that the last one wins whole.
 */
export interface Setting<Value, Fallback = Value> {
  /** Names the row, and outlives deploys. */
  readonly name: string
  /** Of what JSON gives back of a value that was put. */
  readonly parse: (document: unknown) => Value
  /** What a registry has in which nobody has put anything, or from which it was deleted. */
  readonly fallback: Fallback
}

/** A document that JSON can hold. `undefined` as the fallback tells a setting that was never put from any that was. */
export function defineSetting<Value, Fallback = Value>(setting: Setting<Value, Fallback>): Setting<Value, Fallback> {
  return setting
}

export interface RegistrySettings {
  get<Value, Fallback>(registry: Registry, setting: Setting<Value, Fallback>): Promise<Value | Fallback>
  /** In a transaction of its own, or in `trx`. */
  put<Value, Fallback>(
    registry: Registry,
    setting: Setting<Value, Fallback>,
    value: Value,
    trx?: Transaction,
  ): Promise<void>
  /** Answers what it held. In a transaction of its own, or in `trx`. */
  delete<Value, Fallback>(
    registry: Registry,
    setting: Setting<Value, Fallback>,
    trx?: Transaction,
  ): Promise<Value | Fallback>
}

export function createRegistrySettings({ metadata, clock }: { metadata: Metadata; clock: Clock }): RegistrySettings {
  const within = <Result>(trx: Transaction | undefined, work: (trx: Transaction) => Promise<Result>) =>
    trx === undefined ? metadata.transaction(work) : work(trx)
  return {
    get: (registry, setting) => readSetting(metadata.reader, registry, setting),

    put: ({ account, region }, { name }, value, trx) =>
      within(trx, async (trx) => {
        await lockRegistry(trx, { account, region })
        const written = { document: JSON.stringify(value), updated_at: clock() }
        await trx
          .insertInto('registry_setting')
          .values({ account, region, name, ...written })
          .onConflict((conflict) => conflict.columns(['account', 'region', 'name']).doUpdateSet(written))
          .execute()
      }),

    delete: (registry, setting, trx) =>
      within(trx, async (trx) => {
        const held = await lockSetting(trx, registry, setting)
        await trx
          .deleteFrom('registry_setting')
          .where('account', '=', registry.account)
          .where('region', '=', registry.region)
          .where('name', '=', setting.name)
          .execute()
        return held
      }),
  }
}

export async function readSetting<Value, Fallback>(
  reader: Reader,
  { account, region }: Registry,
  { name, parse, fallback }: Setting<Value, Fallback>,
): Promise<Value | Fallback> {
  const row = await reader
    .selectFrom('registry_setting')
    .select('document')
    .where('account', '=', account)
    .where('region', '=', region)
    .where('name', '=', name)
    .executeTakeFirst()
  return row === undefined ? fallback : parse(JSON.parse(row.document))
}

/**
 * Reads what then holds until the end of the transaction, for a change that depends on it. All settings of a registry share one
 * lock, since one may depend on another (the registry policy on its scope); it comes after the repository's row.
 */
export async function lockSetting<Value, Fallback>(
  trx: Transaction,
  registry: Registry,
  setting: Setting<Value, Fallback>,
): Promise<Value | Fallback> {
  await lockRegistry(trx, registry)
  return readSetting(trx, registry, setting)
}

/** A setting that was never put has no row to lock, so a row of its own stands for the registry; it says nothing. */
const lockName = 'lock'

/** Until the end of the transaction nobody else who takes it changes what the registry as a whole has. */
export async function lockRegistry(trx: Transaction, { account, region }: Registry): Promise<void> {
  await trx
    .insertInto('registry_setting')
    .values({ account, region, name: lockName, document: 'null', updated_at: 0 })
    .onConflict((conflict) => conflict.columns(['account', 'region', 'name']).doNothing())
    .execute()
  await trx
    .selectFrom('registry_setting')
    .select('name')
    .where('account', '=', account)
    .where('region', '=', region)
    .where('name', '=', lockName)
    .forUpdate()
    .execute()
}
