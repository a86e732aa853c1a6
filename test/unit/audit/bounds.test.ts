/** What one caller may add to the trail: few bytes a refusal, few records of what is alike, and a budget. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { actorOf, worthOf } from '#audit/actor.ts'
import { briefCall, briefParameters } from '#audit/brief.ts'
import { createBudgets } from '#audit/budgets.ts'
import type { AuditedCall } from '#audit/call.ts'
import { printDenial } from '#audit/denials.ts'
import { createDrops } from '#audit/drops.ts'
import { fairShare } from '#audit/fair-share.ts'
import { createRepeatedRefusals } from '#audit/repeated-refusals.ts'
import { rowsOf } from '#audit/rows.ts'
import { rootPrincipal } from '#iam/principal.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'

const account = parseAccountId('111111111111')
const region = parseRegion('us-east-1')
const principal = rootPrincipal(account, { accessKeyId: 'AKIAROOT', accessKeySince: 0 })

function refusal(more: Partial<AuditedCall> = {}, now = 0): AuditedCall {
  return {
    ...{ requestId: 'a-request', service: 'ecr', name: 'PutImage', owner: account, resources: [], principal },
    circumstances: { sourceIp: '127.0.0.1', secure: false, userAgent: 'test', region, now },
    error: { code: 'AccessDenied', message: 'denied' },
    ...more,
  }
}

describe('the size of a refusal', () => {
  test('short parameters are kept as they are, long texts and lists are cut', () => {
    assert.equal(briefParameters('{"repositoryName":"team/app"}'), '{"repositoryName":"team/app"}')
    const long = { text: 'x'.repeat(300), list: Array.from({ length: 30 }, (_, at) => `item-${at}`), flag: true }
    const brief = JSON.parse(briefParameters(JSON.stringify(long)))
    assert.equal(brief.text, `${'x'.repeat(256)}… (300 characters)`)
    assert.deepEqual([brief.list.length, brief.flag], [10, true])
  })

  test('parameters that stay large are replaced by their size', () => {
    const many = JSON.stringify(Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`member-${at}`, 'value'])))
    assert.deepEqual(JSON.parse(briefParameters(many)), { omitted: true, originalSize: many.length })
  })

  test('a row of a refusal stays below eight KiB', () => {
    const long = 'x'.repeat(20_000)
    const arn = `arn:aws:ecr:us-east-1:${account}:repository/${'r'.repeat(256)}`
    const verdict = { allowed: false, reason: 'no allow', types: ['identity-based policy'] } as const
    const call = refusal({
      resources: Array.from({ length: 100 }, () => arn),
      parameters: JSON.stringify(Array.from({ length: 100 }, () => long)),
      circumstances: { sourceIp: '127.0.0.1', secure: false, userAgent: long, region, now: 0 },
      error: {
        ...{ code: 'AccessDenied', message: long },
        denial: { principalArn: principal.arn, action: 'ecr:PutImage', resource: arn, verdict: verdict as never },
        conditions: Array.from({ length: 50 }, (_, at) => [`aws:RequestTag/${at}`, 'v'.repeat(256)] as const),
      },
    })
    const [row] = rowsOf(briefCall(call), { count: 1, lastAt: 0 }, () => true)
    assert(row !== undefined)
    assert(row.record.length + (row.denial?.length ?? 0) < 8_192, String(row.record.length + (row.denial?.length ?? 0)))
    assert.equal(JSON.parse(printDenial(call) ?? '').circumstances.userAgent.length, 1_024)
  })
})

describe('alike refusals', () => {
  const noted = () => ({ count: 1, lastAt: 0 })

  test('the first five of a minute have a record each, the others share one', () => {
    const refusals = createRepeatedRefusals<ReturnType<typeof noted>>()
    const counted = Array.from({ length: 100 }, (_, at) => refusals.counts(refusal({}, at), noted))
    assert.equal(counted.filter((is) => !is).length, 5)
    assert.deepEqual(refusals.take(59_999), [])
    assert.deepEqual(refusals.take(60_000), [{ count: 95, lastAt: 99 }])
    assert.equal(refusals.counts(refusal({}, 60_000), noted), false)
  })

  test('another caller, address, action, resource or reason is another kind', () => {
    const refusals = createRepeatedRefusals<ReturnType<typeof noted>>()
    for (let count = 0; count < 10; count++) refusals.counts(refusal(), noted)
    const { circumstances } = refusal()
    const others: Partial<AuditedCall>[] = [
      { principal: rootPrincipal(parseAccountId('222222222222'), { accessKeyId: 'AKIAOTHER', accessKeySince: 0 }) },
      { circumstances: { ...circumstances, sourceIp: '127.0.0.2' } },
      { name: 'BatchGetImage' },
      { resources: [`arn:aws:ecr:us-east-1:${account}:repository/other`] },
      { error: { code: 'RepositoryNotFoundException', message: '' } },
    ]
    for (const other of others) assert.equal(refusals.counts(refusal(other), noted), false, JSON.stringify(other))
  })

  test('of another caller are counted on while one varies its requests', () => {
    const refusals = createRepeatedRefusals<ReturnType<typeof noted>>()
    const other = rootPrincipal(parseAccountId('222222222222'), { accessKeyId: 'AKIAOTHER', accessKeySince: 0 })
    let counted = 0
    for (let count = 0; count < 5_000; count++) {
      if (refusals.counts(refusal(), noted)) counted++
      refusals.counts(refusal({ principal: other, name: `Name${count}` }), noted)
    }
    assert.equal(counted, 4_995)
  })

  test('a caller that varies its requests keeps a bounded number of kinds', () => {
    const refusals = createRepeatedRefusals<ReturnType<typeof noted>>()
    for (let count = 0; count < 10_000; count++) {
      const call = refusal({ name: `Name${count}` })
      for (let time = 0; time < 6; time++) refusals.counts(call, noted)
    }
    assert.equal(refusals.take(0).length, 8_000)
    assert.equal(refusals.take(0, true).length, 2_000)
  })
})

describe('budgets', () => {
  const actor = (id: string) => ({ account, id, arn: undefined })

  test('an actor that uses up its budget leaves that of another alone, and earns more with time', () => {
    const budgets = createBudgets()
    const charge = (id: string, now: number) => budgets.charge(actor(id), 'refusal', 1_000, now)
    const charged = Array.from({ length: 1_000 }, () => charge('ann', 0)).filter((is) => is)
    assert.equal(charged.length, 300)
    assert.equal(charge('bob', 0), true)
    assert.deepEqual([charge('ann', 2_000), charge('ann', 3_000), charge('ann', 3_000)], [false, true, false])
  })

  test('few large records use up a budget as many small ones do', () => {
    const budgets = createBudgets()
    const charged = Array.from({ length: 300 }, () => budgets.charge(actor('ann'), 'refusal', 100_000, 0))
    assert.equal(charged.filter((is) => is).length, 11)
  })

  test('what was answered and changed something has no budget', () => {
    const budgets = createBudgets()
    for (let count = 0; count < 100_000; count++) assert(budgets.charge(actor('ann'), 'change', 100_000, 0))
  })
})

describe('calls that open sessions', () => {
  const arn = `arn:aws:iam::${account}:role/ci`
  const federated = (more: Partial<AuditedCall> = {}): AuditedCall => {
    const { error, ...answered } = refusal({ service: 'sts', name: 'AssumeRoleWithWebIdentity', resources: [arn] })
    return { ...answered, principal: undefined, ...more }
  }

  test('have no budget, so that a flood of reads does not hide who acts by a session', () => {
    const budgets = createBudgets()
    const actor = actorOf(refusal())
    while (budgets.charge(actor, 'read', 1_000, 0));
    for (const name of ['AssumeRole', 'GetSessionToken']) {
      const { error, ...call } = refusal({ name })
      assert.equal(budgets.charge(actor, worthOf(call), 1_000, 0), true, name)
    }
  })

  test('are charged to the role where an identity provider vouches for the caller, and refusals to strangers', () => {
    assert.deepEqual(actorOf(federated()), { account, id: arn, arn })
    const { error } = refusal()
    assert.deepEqual(actorOf(federated({ error })), { account, id: '', arn: undefined })
  })

  test('are recorded when strangers used up their budget', () => {
    const budgets = createBudgets()
    const { error } = refusal()
    const charge = (call: AuditedCall) => budgets.charge(actorOf(call), worthOf(call), 1_000, 0)
    while (charge(federated({ error })));
    assert.equal(charge(federated()), true)
  })
})

describe('room in memory', () => {
  const share = (items: string[], most: number) => fairShare(items, most, (item) => item[0] ?? '')

  test('an owner that fills the queue loses its own oldest items', () => {
    const items = ['b0', ...Array.from({ length: 100 }, (_, at) => `a${at}`), 'b1']
    const { kept, removed } = share(items, 10)
    assert.deepEqual(kept, ['b0', 'a92', 'a93', 'a94', 'a95', 'a96', 'a97', 'a98', 'a99', 'b1'])
    assert.equal(removed.length, 92)
  })

  test('nothing is removed where all of it fits', () => {
    assert.deepEqual(share(['a0', 'b0'], 2), { kept: ['a0', 'b0'], removed: [] })
  })
})

describe('drops', () => {
  test('an account hears at once, and then every five minutes, how many records of each actor are missing', () => {
    const drops = createDrops(region)
    const actor = { account, id: 'AIDA1', arn: 'arn:aws:iam::111111111111:user/ann' }
    for (let at = 0; at < 10; at++) drops.add({ actor, reason: 'budget', count: 1, at: at * 1_000 })
    const [event] = drops.takeEvents(10_000)
    assert.deepEqual(event?.details, {
      count: 10,
      dropped: [
        {
          ...{ principalId: 'AIDA1', arn: actor.arn, reason: 'budget', count: 10 },
          ...{ firstEventTime: '1970-01-01T00:00:00Z', lastEventTime: '1970-01-01T00:00:09Z' },
        },
      ],
    })
    drops.add({ actor, reason: 'size', count: 3, at: 20_000 })
    assert.deepEqual(drops.takeEvents(20_000), [])
    assert.equal(drops.takeEvents(310_000)[0]?.details.count, 3)
    // What made room was counted where it was deleted.
    assert.deepEqual(
      drops.takeCounts().map(({ count }) => count),
      [10],
    )
  })
  test('callers that prove nothing are counted for the accounts that are here, however many they name', () => {
    const drops = createDrops(region)
    const stranger = (named: number) => ({ account: String(named), id: '', arn: undefined })
    const here = Number(account)
    for (let more = 0; more < 5_000; more++)
      drops.add({ actor: stranger(here + more), reason: 'budget', count: 1, at: 0 })
    const strangers = drops.takeStrangers()
    assert.equal(strangers.length, 2_001)
    drops.settle(strangers, (named) => named === account)
    const counts = drops.takeCounts().map(({ actor, count }) => [actor.account, actor.id, count])
    assert.deepEqual(counts, [
      [account, '', 1],
      ['', '', 4_999],
    ])
    assert.deepEqual(
      drops.takeEvents(0).map((event) => event.account),
      [account],
    )
  })
})
