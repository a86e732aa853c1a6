/** One caller can neither fill the trail nor push the records of others out of it, and what is missing is counted and shown. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { ECR } from '@aws-sdk/client-ecr'
import { IAM } from '@aws-sdk/client-iam'
import type { Kysely } from 'kysely'
import type { AuditedCall } from '#audit/call.ts'
import { createAuditTrail } from '#audit/trail.ts'
import { listUsage, readUsage } from '#audit/usage.ts'
import { rootPrincipal, userPrincipal } from '#iam/principal.ts'
import { readCounters } from '#jobs/counters.ts'
import { postgresColumns, sqliteColumns } from '#metadata/columns.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { auditUsage } from '#metadata/migrations/0020-audit-usage.ts'
import { type AccountId, parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { openAuditReader } from '#test/support/audit.ts'
import { commandsOver } from '#test/support/command.ts'
import { type Databases, eachDatabase } from '#test/support/databases.ts'
import { refusalOf } from '#test/support/ecr-session.ts'
import { readMetrics } from '#test/support/metrics.ts'
import { startServer } from '#test/support/server.ts'

const [ours, theirs] = [parseAccountId('111111111111'), parseAccountId('222222222222')]
const region = parseRegion('us-east-1')
const kib = 1_024

function user(account: AccountId, name: string) {
  const identity = { id: `AIDA${name}`, name, path: '/', tags: {}, boundary: null }
  return userPrincipal(account, identity, { accessKeyId: `AKIA${name}`, accessKeySince: 0 })
}

async function start(t: TestContext, databases: Databases, mostBytes: number) {
  const metadata = await databases.open(t)
  const accounts = [ours, theirs].map((id) => ({ id, created_at: 0 }))
  await metadata.transaction((trx) => trx.insertInto('account').values(accounts).execute())
  const state = { now: 86_400_000, lost: 0 }
  const trail = createAuditTrail({
    ...{ metadata, clock: () => state.now, keptMs: 86_400_000, mostBytes, region },
    // The database is closed before the trail stops.
    onError: () => {},
    onLost: (count) => {
      state.lost += count
    },
  })
  t.after(() => trail.stop())
  const call = (name: string, by: AuditedCall['principal'], more: Partial<AuditedCall> = {}): AuditedCall => ({
    ...{ requestId: 'a-request', service: 'ecr', name, principal: by, owner: by?.account ?? ours, resources: [] },
    circumstances: { sourceIp: '127.0.0.1', secure: false, userAgent: 'test', region, now: state.now },
    ...more,
  })
  const recorded = async () =>
    (await metadata.reader.selectFrom('audit_event').select(['name', 'actor', 'record']).orderBy('id').execute()).map(
      ({ record, ...row }) => ({ ...row, record: JSON.parse(record) as Record<string, unknown> }),
    )
  return { metadata, state, trail, call, recorded }
}

/** The usage is what the records themselves add up to. */
async function assertUsageIsSum({ reader }: Metadata): Promise<void> {
  const rows = await reader
    .selectFrom('audit_event')
    .select(({ fn }) => ['actor_account', 'actor', 'lasting', fn.countAll().as('records'), fn.sum('bytes').as('bytes')])
    .groupBy(['actor_account', 'actor', 'lasting'])
    .execute()
  const sums = rows.map((row) => [row.actor_account, row.actor, row.lasting, Number(row.records), Number(row.bytes)])
  const usage = await reader.selectFrom('audit_usage').selectAll().where('records', '!=', 0).execute()
  const kept = usage.map((row) => [row.account, row.actor, row.lasting, row.records, row.bytes])
  const set = (list: unknown[][]) => new Set(list.map((row) => row.join(' ')))
  assert.deepEqual(set(kept), set(sums))
}

eachDatabase((databases) => {
  describe(`what one caller adds to the trail, ${databases.dialect}`, () => {
    test('of a thousand alike denials in a minute there are five records and one with the count of the rest', async (t) => {
      const { state, trail, call, recorded } = await start(t, databases, 0)
      const error = { code: 'AccessDenied', message: 'denied' }
      for (let count = 0; count < 1_000; count++) trail.record(call('PutImage', user(ours, 'ann'), { error }))
      await trail.flush()
      assert.equal((await recorded()).length, 5)
      state.now += 60_000
      await trail.flush()
      const records = await recorded()
      assert.equal(records.length, 6)
      const { additionalEventData } = records.at(-1)?.record ?? {}
      assert.equal((additionalEventData as { count: number }).count, 995)
      assert.equal(state.lost, 0)
    })

    test('a caller that is denied over and over leaves a bounded number of records, and the others theirs', async (t) => {
      const { metadata, state, trail, call, recorded } = await start(t, databases, 0)
      const error = { code: 'AccessDenied', message: 'denied' }
      for (let count = 0; count < 2_000; count++) {
        trail.record(call(`Get${count}`, user(ours, 'ann'), { error }))
        if (count % 100 === 0) trail.record(call('PutImage', user(ours, 'bob')))
      }
      await trail.flush()
      const records = await recorded()
      assert.equal(records.filter(({ actor }) => actor === 'AIDAann').length, 300)
      assert.equal(records.filter(({ actor }) => actor === 'AIDAbob').length, 20)
      assert.equal((await readUsage(metadata.reader)).dropped, 1_700)
      assert.equal((await readCounters(metadata.reader)).get('lading_audit_dropped_total'), 1_700)
      await trail.flush()
      assert.equal(state.lost, 1_700)
      const [event] = (await recorded()).filter(({ name }) => name === 'AuditRecordsDropped')
      const details = event?.record.serviceEventDetails as { count: number; dropped: { arn: string; reason: string }[] }
      assert.deepEqual([details.count, details.dropped[0]?.reason], [1_700, 'budget'])
      assert.equal(details.dropped[0]?.arn, `arn:aws:iam::${ours}:user/ann`)
      await assertUsageIsSum(metadata)
    })

    test('a trail that is too large loses the oldest records of the account and the caller that have most of it', async (t) => {
      const most = 512 * kib
      const { metadata, state, trail, call, recorded } = await start(t, databases, most)
      const [ann, bob, eve] = [user(ours, 'ann'), user(theirs, 'bob'), user(theirs, 'eve')]
      for (let count = 0; count < 50; count++) trail.record(call('PutImage', ann))
      for (let count = 0; count < 50; count++) trail.record(call('PutImage', bob))
      trail.record(call('DeleteRepository', eve))
      await trail.flush()
      for (let count = 0; count < 2_000; count++) {
        state.now++
        trail.record(call(`Get${count}`, eve))
      }
      await trail.flush()
      await trail.flush()
      const records = await recorded()
      const of = (actor: string) => records.filter((record) => record.actor === actor).map(({ name }) => name)
      assert.deepEqual([of('AIDAann').length, of('AIDAbob').length], [50, 50])
      // Its own deed outlasts what it only read: the flood does not hide it.
      assert.equal(of('AIDAeve')[0], 'DeleteRepository')
      assert.equal(of('AIDAeve').at(-1), 'Get1999')
      const { bytes, evicted } = await readUsage(metadata.reader)
      assert(bytes <= most, String(bytes))
      assert.equal(evicted, 2_001 - of('AIDAeve').length)
      assert.equal((await readCounters(metadata.reader)).get('lading_audit_evicted_total'), evicted)
      const event = records.find(({ name }) => name === 'AuditRecordsDropped')
      assert.match(JSON.stringify(event?.record.serviceEventDetails), /"principalId":"AIDAeve","reason":"size"/)
      await assertUsageIsSum(metadata)
    })

    test('many callers of one account make room before another account does', async (t) => {
      const { metadata, trail, call, recorded } = await start(t, databases, 256 * kib)
      const root = rootPrincipal(ours, { accessKeyId: 'AKIAROOT', accessKeySince: 0 })
      for (let count = 0; count < 50; count++) trail.record(call('PutImage', root))
      for (let count = 0; count < 400; count++) trail.record(call('PutImage', user(theirs, `user${count % 100}`)))
      await trail.flush()
      await trail.flush()
      const records = await recorded()
      assert.equal(records.filter(({ actor }) => actor === ours).length, 50)
      assert((await readUsage(metadata.reader)).bytes <= 256 * kib)
      await assertUsageIsSum(metadata)
    })

    test('what one caller reads does not push out what another one changed', async (t) => {
      const { metadata, trail, call, recorded } = await start(t, databases, 256 * kib)
      const [ann, eve] = [user(ours, 'ann'), user(ours, 'eve')]
      for (let count = 0; count < 100; count++) trail.record(call('PutImage', ann))
      for (let count = 0; count < 1_000; count++) trail.record(call(`Get${count}`, eve))
      await trail.flush()
      await trail.flush()
      const records = await recorded()
      assert.equal(records.filter(({ actor }) => actor === 'AIDAann').length, 100)
      assert((await readUsage(metadata.reader)).bytes <= 256 * kib)
      await assertUsageIsSum(metadata)
    })

    test('callers without a key that name ever more accounts leave no rows, and the trail is written', async (t) => {
      const { metadata, trail, call, recorded } = await start(t, databases, 0)
      const error = { code: 'InvalidIdentityToken', message: 'refused' }
      const refuse = (owner: AccountId) =>
        trail.record(call('AssumeRoleWithWebIdentity', undefined, { owner, resources: [`arn:${owner}`], error }))
      for (let named = 0; named < 12_000; named++) {
        refuse(parseAccountId(String(900_000_000_000 + named)))
        if (named >= 100 && named < 110) refuse(ours)
      }
      trail.record(call('PutImage', user(ours, 'ann')))
      await trail.flush()
      await trail.flush()
      const usage = await listUsage(metadata.reader, 100)
      const kept = usage.map(({ account, actor, dropped }) => [account, actor, dropped])
      const expected = [
        [ours, 'AIDAann', 0],
        [ours, 'server', 0],
        [ours, '', 10],
        ['', '', 11_980],
      ]
      assert.deepEqual(new Set(kept.map(String)), new Set(expected.map(String)))
      const named = (await recorded()).map(({ name }) => name)
      assert.deepEqual(named, ['PutImage', 'AuditRecordsDropped'])
    })

    test('deleting what is old is subtracted', async (t) => {
      const { metadata, state, trail, call } = await start(t, databases, 0)
      for (let count = 0; count < 5; count++) trail.record(call('PutImage', user(ours, 'ann')))
      await trail.flush()
      state.now += 86_400_001
      trail.record(call('PutImage', user(ours, 'bob')))
      await trail.flush()
      await assertUsageIsSum(metadata)
      const [bob, ann] = await listUsage(metadata.reader, 10)
      assert.deepEqual([bob?.actor, bob?.records, ann?.records, ann?.bytes], ['AIDAbob', 1, 0, 0])
    })

    test('records of an earlier version are charged to those who made them', async (t) => {
      const { metadata, trail, call } = await start(t, databases, 0)
      const error = { code: 'AccessDenied', message: 'denied \0' }
      for (let count = 0; count < 3; count++) trail.record(call('PutImage', user(ours, 'ann')))
      trail.record(call('PutImage', undefined, { error }))
      await trail.flush()
      const before = await listUsage(metadata.reader, 10)
      await metadata.transaction(async (trx) => {
        await trx.schema.dropTable('audit_usage').execute()
        await trx.schema.dropIndex('audit_event_actor').execute()
        for (const column of ['actor_account', 'actor', 'lasting', 'bytes'])
          await trx.schema.alterTable('audit_event').dropColumn(column).execute()
        // A migration knows no tables: it runs over schemas of any age.
        await auditUsage(
          trx as unknown as Kysely<unknown>,
          databases.dialect === 'sqlite' ? sqliteColumns : postgresColumns,
        )
      })
      assert.deepEqual(await listUsage(metadata.reader, 10), before)
      await assertUsageIsSum(metadata)
    })

    test('over HTTP: a key without permission leaves small records, and an operator sees what was dropped', async (t) => {
      const database = await databases.url()
      const server = await startServer({ database })
      t.after(() => server.stop())
      const options = { endpoint: server.url, region: server.region, maxAttempts: 1 }
      const iam = new IAM({ ...options, credentials: server.credentials })
      await iam.createUser({ UserName: 'eve' })
      const { AccessKey } = await iam.createAccessKey({ UserName: 'eve' })
      iam.destroy()
      const credentials = {
        accessKeyId: AccessKey?.AccessKeyId ?? '',
        secretAccessKey: AccessKey?.SecretAccessKey ?? '',
      }
      const eve = new ECR({ ...options, credentials, customUserAgent: 'x'.repeat(6_000) })
      t.after(() => eve.destroy())
      const tag = 't'.repeat(90)
      for (let count = 0; count < 310; count++) {
        const repositoryNames = Array.from({ length: 100 }, (_, at) => `${tag}${at}-${count}`)
        assert.equal((await refusalOf(eve.describeRepositories({ repositoryNames }))).name, 'AccessDeniedException')
      }
      using audit = openAuditReader(server)
      const byName = { AttributeKey: 'EventName', AttributeValue: 'DescribeRepositories' } as const
      const [denied] = await audit.records({ LookupAttributes: [byName], MaxResults: 50 })
      assert(JSON.stringify(denied).length < 8_192)
      assert.equal(denied?.userAgent.length, 1_024)
      const dropped = { AttributeKey: 'EventName', AttributeValue: 'AuditRecordsDropped' } as const
      assert.equal((await audit.records({ LookupAttributes: [dropped] })).length, 1)
      const metrics = await readMetrics(server)
      assert((metrics.get('lading_audit_dropped_total') ?? 0) > 0)
      assert((metrics.get('lading_audit_bytes') ?? 0) > 0)
      const lading = commandsOver({ ...server.environment, LADING_DATABASE: database })
      const status = (await lading.json('audit', 'status')) as { dropped: number; records: number }
      assert(status.dropped > 0 && status.records > 290)
      const { actors } = (await lading.json('audit', 'actors')) as { actors: { records: number; dropped: number }[] }
      const [most] = actors
      assert(most !== undefined && most.dropped > 0 && most.records >= 300)
    })
  })
})
