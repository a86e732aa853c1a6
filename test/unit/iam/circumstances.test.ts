import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contextOf } from '#iam/circumstances.ts'
import { rootPrincipal } from '#iam/principal.ts'
import { parseAccountId } from '#names/account.ts'

test('no client makes patterns cost more by a longer name of its own', () => {
  const account = parseAccountId('111111111111')
  const context = contextOf({
    principal: rootPrincipal(account, { accessKeyId: 'AKIAROOT', accessKeySince: 0 }),
    circumstances: { sourceIp: '::1', secure: true, userAgent: 'a'.repeat(15_000), region: undefined, now: 0 },
    ...{ resourceAccount: account, resourceTags: {}, conditions: undefined },
  })
  assert.deepEqual(context.get('aws:useragent'), ['a'.repeat(1_024)])
})
