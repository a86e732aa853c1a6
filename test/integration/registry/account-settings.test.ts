/** GetAccountSetting and PutAccountSetting, by the AWS SDK; the policy that narrows the scope is put beside the server. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { createAccountSettings, readAccountSetting } from '#registry/account-settings.ts'
import { registryPolicySetting } from '#registry/registry-policy.ts'
import { createRegistrySettings } from '#registry/settings.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { answerOf, refusalOf, startEcrSession } from '#test/support/ecr-session.ts'

const session = await startEcrSession()
after(() => session[Symbol.asyncDispose]())

const invalid = (member: string, constraint: string) => ({
  name: 'InvalidParameterException',
  message: `Invalid parameter at '${member}' failed to satisfy constraint: '${constraint}'`,
  status: 400,
})

describe('account settings', () => {
  test('each has its default until it is put, and then what was put', async () => {
    for (const [name, fallback, other] of [
      ['BASIC_SCAN_TYPE_VERSION', 'AWS_NATIVE', 'CLAIR'],
      ['REGISTRY_POLICY_SCOPE', 'V2', 'V1'],
      ['BLOB_MOUNTING', 'DISABLED', 'ENABLED'],
    ] as const) {
      assert.deepEqual(await answerOf(session.ecr.getAccountSetting({ name })), { name, value: fallback })
      for (const value of [other, other, fallback, other]) {
        assert.deepEqual(await answerOf(session.ecr.putAccountSetting({ name, value })), { name, value })
        assert.deepEqual(await answerOf(session.ecr.getAccountSetting({ name })), { name, value })
      }
    }
  })

  test('no other name is one, and no other value is taken', async () => {
    const names = 'BASIC_SCAN_TYPE_VERSION, REGISTRY_POLICY_SCOPE, BLOB_MOUNTING'
    for (const name of ['blob_mounting', 'toString', '__proto__']) {
      const refused = invalid('name', `Member must satisfy enum value set: [${names}]`)
      assert.deepEqual(await refusalOf(session.ecr.getAccountSetting({ name })), refused)
      assert.deepEqual(await refusalOf(session.ecr.putAccountSetting({ name, value: 'V1' })), refused)
    }
    for (const value of ['enabled', 'V2', '']) {
      assert.deepEqual(
        await refusalOf(session.ecr.putAccountSetting({ name: 'BLOB_MOUNTING', value })),
        invalid('value', 'Member must satisfy enum value set: [DISABLED, ENABLED]'),
      )
    }
  })

  test("an account's settings are its own, in each region", async () => {
    const name = 'BLOB_MOUNTING'
    await session.ecr.putAccountSetting({ name, value: 'ENABLED' })
    const credentials = await session.server.addAccount('222222222222')
    for (const other of [session.client({ credentials }), session.client({ region: 'eu-west-1' })]) {
      assert.equal((await other.getAccountSetting({ name })).value, 'DISABLED')
    }
  })
})

const registry = { account: parseAccountId('111111111111'), region: parseRegion('us-east-1') }

const policyOf = (action: string) => ({
  text: JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: '*', Action: action, Resource: '*' }],
  }),
})

eachDatabase(({ dialect, open }) => {
  test(`the scope narrows to V1 only while the registry policy fits it (${dialect})`, async (t) => {
    const metadata = await open(t)
    const settings = createRegistrySettings({ metadata, clock: systemClock })
    const accountSettings = createAccountSettings({ metadata, settings })
    const narrow = () => accountSettings.put(registry, 'REGISTRY_POLICY_SCOPE', 'V1')

    await settings.put(registry, registryPolicySetting, policyOf('ecr:BatchGetImage'))
    await assert.rejects(narrow(), { code: 'RegistryPolicyBeyondScope' })
    assert.equal(await readAccountSetting(metadata.reader, registry, 'REGISTRY_POLICY_SCOPE'), 'V2')

    await settings.put(registry, registryPolicySetting, policyOf('ecr:ReplicateImage'))
    await narrow()
    assert.equal(await readAccountSetting(metadata.reader, registry, 'REGISTRY_POLICY_SCOPE'), 'V1')
  })
})
