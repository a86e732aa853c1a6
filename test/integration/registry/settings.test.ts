/** Settings of a registry: one document per registry and name, whole or absent, and still while it is read under lock. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { createRegistrySettings, defineSetting, lockSetting, readSetting } from '#registry/settings.ts'
import { eachDatabase } from '#test/support/databases.ts'

const registryOf = (account: string, region: string) => ({
  account: parseAccountId(account),
  region: parseRegion(region),
})
const registry = registryOf('111111111111', 'eu-west-1')

const parse = (document: unknown) => {
  assert.ok(Array.isArray(document))
  return document.map(Number)
}
const numbers = defineSetting({ name: 'numbers', parse, fallback: [0] })
const others = defineSetting({ name: 'others', parse, fallback: undefined })

eachDatabase(({ dialect, open }) => {
  test(`a setting is what was put last, and its fallback before and after (${dialect})`, async (t) => {
    const settings = createRegistrySettings({ metadata: await open(t), clock: () => 1 })
    assert.deepEqual(await settings.get(registry, numbers), [0])
    assert.equal(await settings.get(registry, others), undefined)
    await settings.put(registry, numbers, [1, 2])
    await settings.put(registry, numbers, [3])
    assert.deepEqual(await settings.get(registry, numbers), [3])
    assert.deepEqual(await settings.delete(registry, numbers), [3])
    assert.deepEqual(await settings.delete(registry, numbers), [0])
    assert.deepEqual(await settings.get(registry, numbers), [0])
  })

  test(`registries and names do not see one another's settings (${dialect})`, async (t) => {
    const settings = createRegistrySettings({ metadata: await open(t), clock: () => 1 })
    await settings.put(registry, numbers, [1])
    assert.equal(await settings.get(registry, others), undefined)
    for (const other of [registryOf('222222222222', 'eu-west-1'), registryOf('111111111111', 'us-east-1')]) {
      assert.deepEqual(await settings.get(other, numbers), [0])
      await settings.delete(other, numbers)
    }
    assert.deepEqual(await settings.get(registry, numbers), [1])
  })

  test(`a transaction that fails leaves the setting as it was (${dialect})`, async (t) => {
    const metadata = await open(t)
    const settings = createRegistrySettings({ metadata, clock: () => 1 })
    await settings.put(registry, numbers, [1])
    const failing = metadata.transaction(async (trx) => {
      await settings.put(registry, numbers, [2], trx)
      assert.deepEqual(await readSetting(trx, registry, numbers), [2])
      await settings.delete(registry, numbers, trx)
      throw new Error('changed my mind')
    })
    await assert.rejects(failing, /changed my mind/)
    assert.deepEqual(await settings.get(registry, numbers), [1])
  })

  test(`what was read under lock, even absent, holds until the transaction ends (${dialect})`, async (t) => {
    const metadata = await open(t)
    const settings = createRegistrySettings({ metadata, clock: () => 1 })
    const append = (last: number) =>
      metadata.transaction(async (trx) => {
        const present = (await lockSetting(trx, registry, others)) ?? []
        await settings.put(registry, others, [...present, last], trx)
      })
    const all = Array.from({ length: 12 }, (_, index) => index)
    await Promise.all(all.map(append))
    assert.deepEqual(
      (await settings.get(registry, others))?.toSorted((a, b) => a - b),
      all,
    )
  })
})
