/** How long records are kept, and what happens to them while the database does not take any. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AuditedCall } from '#audit/call.ts'
import { createAuditLookup } from '#audit/lookup.ts'
import { createAuditTrail } from '#audit/trail.ts'
import { rootPrincipal } from '#iam/principal.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { eachDatabase } from '#test/support/databases.ts'

const account = parseAccountId('111111111111')
const region = parseRegion('us-east-1')
const dayMs = 86_400_000

function call(name: string, now: number, more: Partial<AuditedCall> = {}): AuditedCall {
  return {
    ...{ requestId: 'a-request', service: 'ecr', name, owner: account, resources: [] },
    principal: rootPrincipal(account, { accessKeyId: 'AKIAROOT', accessKeySince: 0 }),
    circumstances: { sourceIp: '127.0.0.1', secure: false, userAgent: 'test', region, now },
    ...more,
  }
}

eachDatabase((databases) => {
  describe(`audit records, ${databases.dialect}`, () => {
    async function start(t: Parameters<typeof databases.open>[0], keptMs: number, mostBytes = 0) {
      const metadata = await databases.open(t)
      await metadata.transaction((trx) => trx.insertInto('account').values({ id: account, created_at: 0 }).execute())
      const state = { now: 100 * dayMs, lost: 0 }
      const trail = createAuditTrail({
        ...{ metadata, clock: () => state.now, keptMs, mostBytes, region },
        onError: () => {},
        onLost: (count) => {
          state.lost += count
        },
      })
      t.after(() => trail.stop())
      const lookup = createAuditLookup(metadata)
      const names = async () => {
        const { items } = await lookup.list({ account, region }, { from: 0, to: 1_000 * dayMs, limit: 50 })
        return items.map(({ name }) => name)
      }
      return { metadata, state, trail, names, lookup }
    }

    test('old ones go as new ones come, and where none are kept none are made', async (t) => {
      const { state, trail, names } = await start(t, 90 * dayMs)
      for (const name of ['GetOne', 'GetTwo', 'GetThree']) {
        trail.record(call(name, state.now))
        state.now += 40 * dayMs
        await trail.flush()
      }
      assert.deepEqual(await names(), ['GetThree', 'GetTwo'])
      const off = await start(t, 0)
      off.trail.record(call('GetOne', off.state.now))
      await off.trail.flush()
      assert.deepEqual(await off.names(), [])
    })

    test('old ones go where no new ones come, and where none are kept any more', async (t) => {
      const { metadata, state, trail, names } = await start(t, 90 * dayMs)
      trail.record(call('GetOne', state.now))
      await trail.flush()
      await trail.flush()
      assert.deepEqual(await names(), ['GetOne'])
      const nothing = () => {}
      const off = createAuditTrail({
        ...{ metadata, clock: () => state.now + 1, keptMs: 0, mostBytes: 0, region, onError: nothing, onLost: nothing },
      })
      t.after(() => off.stop())
      await off.flush()
      assert.deepEqual(await names(), [])
      trail.record(call('GetTwo', state.now))
      await trail.flush()
      state.now += 91 * dayMs
      await trail.flush()
      assert.deepEqual(await names(), [])
    })

    test('what is hostile in a call neither stops the trail nor grows it', async (t) => {
      const { state, trail, names, lookup } = await start(t, 90 * dayMs)
      const long = 'x'.repeat(100_000)
      trail.record(call('Get\0\ud800', state.now))
      trail.record(call(long, state.now, { resources: [`arn:aws:iam::${account}:user/${long}`] }))
      trail.record(call('Elsewhere', state.now, { owner: parseAccountId('999999999999') }))
      for (let count = 0; count < 100; count++) {
        const error = { code: `InvalidIdentityToken${count}`, message: long }
        trail.record(call('AssumeRoleWithWebIdentity', state.now, { principal: undefined, error }))
      }
      await trail.flush()
      const found = await names()
      assert.equal(found.filter((name) => name === 'AssumeRoleWithWebIdentity').length, 20)
      assert.equal(found.length, 24)
      assert.equal(found.filter((name) => name === 'AuditRecordsDropped').length, 1)
      await trail.flush()
      assert.equal(state.lost, 80)
      const error = { code: 'InvalidIdentityToken', message: long }
      for (const parameters of ['{"roleSessionName":"ci"}', JSON.stringify({ policy: long })]) {
        const stranger = { principal: undefined, error, parameters }
        trail.record(call('AssumeRoleWithWebIdentity', state.now, stranger))
        state.now += 10_000
        trail.record(call('AssumeRoleWithWebIdentity', state.now, stranger))
      }
      await trail.flush()
      const { items } = await lookup.list({ account, region }, { from: state.now - 20_000, to: state.now, limit: 50 })
      const later = items.map(({ record }) => JSON.parse(record) as { requestParameters: unknown }).slice(0, 2)
      assert.deepEqual(
        later.map(({ requestParameters }) => requestParameters),
        [{ policy: `${'x'.repeat(256)}… (100000 characters)` }, { roleSessionName: 'ci' }],
      )
    })

    test('while the database takes none they wait, and of too many the oldest make room', async (t) => {
      const { metadata, state, trail } = await start(t, 90 * dayMs)
      await metadata.transaction((trx) => trx.schema.dropTable('audit_event').execute())
      for (let count = 0; count < 20_000; count++) trail.record(call('GetOne', state.now))
      await assert.rejects(trail.flush())
      await assert.rejects(trail.flush())
      assert(state.lost >= 20_000 - 9_192 && state.lost <= 20_001 - 8_192, String(state.lost))
    })

    test('a pull that made room counts no others', async (t) => {
      const { metadata, state, trail } = await start(t, 90 * dayMs)
      await metadata.transaction((trx) => trx.schema.dropTable('audit_event').execute())
      trail.record(call('BatchGetImage', state.now), 'first')
      // Within one turn, so that nothing of it is written meanwhile.
      for (let count = 0; count < 20_000; count++) trail.record(call('GetOne', state.now), `key ${count}`)
      assert.equal(trail.repeats('first', state.now), false)
      assert.equal(trail.repeats('key 19999', state.now), true)
      await assert.rejects(trail.flush())
    })

    test('pulls that are alike in one batch are one record with their count', async (t) => {
      const { state, trail, lookup } = await start(t, 90 * dayMs)
      for (let count = 0; count < 1_000; count++) {
        if (!trail.repeats('key', state.now)) trail.record(call('BatchGetImage', state.now), 'key')
      }
      await trail.flush()
      const { items } = await lookup.list({ account, region }, { from: 0, to: 1_000 * dayMs, limit: 50 })
      const records = items.map(({ record }) => JSON.parse(record) as { additionalEventData: { count: number } })
      assert.deepEqual(
        records.map(({ additionalEventData }) => additionalEventData.count),
        [1_000],
      )
    })
  })
})
