/** Denied unless allowed: an account's root may do everything in its account, and nothing in another. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { authorize, requireAllowed } from '#iam/authorize.ts'
import type { Principal } from '#iam/principal.ts'
import type { Refusal } from '#lib/refusal.ts'
import { parseAccountId } from '#names/account.ts'

const account = parseAccountId('111111111111')
const root: Principal = { account, arn: 'arn:aws:iam::111111111111:root', userId: account }
const own = 'arn:aws:ecr:us-east-1:111111111111:repository/team/app'
const foreign = 'arn:aws:ecr:us-east-1:222222222222:repository/team/app'

describe('authorization', () => {
  test('root may act on what its account owns, in any region, and on *', () => {
    for (const resource of [own, own.replace('us-east-1', 'eu-west-3'), own.replace('team/app', '*'), '*']) {
      const decision = authorize(root, 'ecr:PutImage', resource)
      assert.deepEqual(decision, {
        ...{ principalArn: root.arn, action: 'ecr:PutImage', resource },
        ...{ allowed: true, reason: 'account root' },
      })
    }
  })

  test('what another account owns would take a policy of the resource', () => {
    const { allowed, reason } = authorize(root, 'ecr:BatchGetImage', foreign)
    assert.deepEqual({ allowed, reason }, { allowed: false, reason: 'no resource-based policy' })
  })

  test('whoever is not root would take a policy of its own', () => {
    const user = { ...root, arn: 'arn:aws:iam::111111111111:user/ci', userId: 'AIDAEXAMPLE' }
    for (const resource of [own, '*']) {
      const { allowed, reason } = authorize(user, 'ecr:BatchGetImage', resource)
      assert.deepEqual({ allowed, reason }, { allowed: false, reason: 'no identity-based policy' })
    }
  })

  test('the root of another account is not root here', () => {
    const impostor = { ...root, arn: 'arn:aws:iam::222222222222:root' }
    assert.equal(authorize(impostor, 'ecr:PutImage', own).allowed, false)
  })

  test('a resource that is no ARN, or names no account, is denied', () => {
    for (const resource of ['', 'repository/app', 'arn:aws:s3:::bucket', 'arn:aws:ecr:us-east-1:111111111111', '**']) {
      assert.equal(authorize(root, 'ecr:PutImage', resource).allowed, false, resource)
    }
  })

  test('a denial is thrown with what a surface needs to word it', () => {
    requireAllowed(root, 'ecr:PutImage', own)
    assert.throws(
      () => requireAllowed(root, 'ecr:PutImage', foreign),
      (error: Refusal) => {
        assert.equal(error.code, 'AccessDenied')
        assert.deepEqual(error.facts, {
          ...{ principalArn: root.arn, action: 'ecr:PutImage', resource: foreign },
          ...{ allowed: false, reason: 'no resource-based policy' },
        })
        return true
      },
    )
  })
})
