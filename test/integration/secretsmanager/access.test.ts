/** Who may do what with a secret: each operation by its own action, on the ARN of the secret, without revealing which secrets exist. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ECR } from '@aws-sdk/client-ecr'
import type { SecretsManager } from '@aws-sdk/client-secrets-manager'
import { commandsOver } from '#test/support/command.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { refusalOf } from '#test/support/ecr-session.ts'
import { type SecretsSession, startSecretsSession } from '#test/support/secrets-session.ts'
import type { Credentials } from '#test/support/server.ts'
import { until } from '#test/support/until.ts'

const allow = (Action: string | string[], Resource: string, Condition?: object) => ({
  ...{ Effect: 'Allow', Action, Resource },
  ...(Condition && { Condition }),
})
const denied = 'AccessDeniedException'
const anySecret = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:ecr-pullthroughcache/*'

/** Each operation about a secret, in an order in which the owner may call all of them. */
const operations: Readonly<Record<string, (client: SecretsManager, SecretId: string) => Promise<unknown>>> = {
  DescribeSecret: (client, SecretId) => client.describeSecret({ SecretId }),
  GetSecretValue: (client, SecretId) => client.getSecretValue({ SecretId }),
  PutSecretValue: (client, SecretId) =>
    client.putSecretValue({ SecretId, SecretString: 'changed', ClientRequestToken: version }),
  UpdateSecret: (client, SecretId) => client.updateSecret({ SecretId, Description: 'changed' }),
  UpdateSecretVersionStage: (client, SecretId) =>
    client.updateSecretVersionStage({ SecretId, VersionStage: 'A', MoveToVersionId: version }),
  ListSecretVersionIds: (client, SecretId) => client.listSecretVersionIds({ SecretId }),
  GetResourcePolicy: (client, SecretId) => client.getResourcePolicy({ SecretId }),
  TagResource: (client, SecretId) => client.tagResource({ SecretId, Tags: [{ Key: 'a', Value: 'b' }] }),
  UntagResource: (client, SecretId) => client.untagResource({ SecretId, TagKeys: ['a'] }),
  DeleteSecret: (client, SecretId) => client.deleteSecret({ SecretId }),
  RestoreSecret: (client, SecretId) => client.restoreSecret({ SecretId }),
}
const version = '0'.repeat(32)

eachDatabaseInCi(({ dialect, url }) => {
  describe(`access to secrets (${dialect})`, () => {
    let session: SecretsSession
    before(async () => {
      session = await startSecretsSession({ database: await url() })
    })
    after(() => session[Symbol.asyncDispose]())

    const clientOf = async (...statements: object[]) =>
      session.client({ credentials: await session.user(...statements) })
    const create = async (tags: Record<string, string> = {}) => {
      const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
      const { Name = '', ARN = '' } = await session.secrets.createSecret({
        ...{ Name: session.name(), SecretString: 'value', Tags },
      })
      return { Name, ARN }
    }

    test('each operation needs its own action on the ARN of the secret, and no other', async () => {
      const { Name, ARN } = await create()
      for (const [name, call] of Object.entries(operations)) {
        const one = await clientOf(allow(`secretsmanager:${name}`, ARN))
        const others = Object.keys(operations).filter((other) => other !== name)
        const all = await clientOf(
          allow(
            others.map((other) => `secretsmanager:${other}`),
            '*',
          ),
        )
        const { message, name: code } = await refusalOf(call(all, Name))
        assert.equal(code, denied, name)
        assert.match(
          message,
          new RegExp(`secretsmanager:${name} on resource: ${Name} because no identity-based policy`),
        )
        await call(one, name === 'DeleteSecret' ? ARN : Name)
      }
    })

    test('a caller without rights gets one answer for a secret that exists and one that does not', async () => {
      const { Name, ARN } = await create()
      const missing = session.name()
      const stranger = await clientOf()
      const ofOthers = await clientOf(allow('secretsmanager:*', `${anySecret}-nothing`))
      for (const client of [stranger, ofOthers]) {
        for (const call of Object.values(operations)) {
          const [there, gone, whole, none] = await Promise.all([
            refusalOf(call(client, Name)),
            refusalOf(call(client, missing)),
            refusalOf(call(client, ARN)),
            refusalOf(call(client, `${ARN.slice(0, -6)}AAAAAA`)),
          ])
          assert.equal(there.name, denied)
          const users = (text: string) => text.replace(/resource: \S+/, '')
          for (const other of [gone, whole, none]) assert.equal(users(other.message), users(there.message))
          assert.ok(!there.message.includes(ARN.slice(-6)))
        }
        const exists = await refusalOf(client.createSecret({ Name }))
        const free = await refusalOf(client.createSecret({ Name: missing }))
        assert.deepEqual(exists, { ...free, message: free.message.replace(missing, Name) })
      }
      assert.equal((await refusalOf(stranger.listSecrets({}))).name, denied)
    })

    test('a policy for a name and any random characters covers a secret that is not there yet', async () => {
      const Name = session.name()
      const resource = `arn:aws:secretsmanager:us-east-1:${session.server.account}:secret:${Name}-??????`
      const client = await clientOf(allow('secretsmanager:*', resource))
      assert.equal((await refusalOf(client.getSecretValue({ SecretId: Name }))).name, 'ResourceNotFoundException')
      await client.createSecret({ Name, SecretString: 'value' })
      assert.equal((await client.getSecretValue({ SecretId: Name })).SecretString, 'value')
      assert.equal((await refusalOf(client.createSecret({ Name: `${Name}-other` }))).name, denied)
      assert.equal((await refusalOf(client.listSecrets({}))).name, denied)
    })

    test('conditions see tags of the secret and of the request, the name and the version', async () => {
      const [web, ops] = [await create({ team: 'web' }), await create({ team: 'ops' })]
      for (const key of ['aws:ResourceTag/team', 'secretsmanager:ResourceTag/team']) {
        const client = await clientOf(allow('secretsmanager:GetSecretValue', '*', { StringEquals: { [key]: 'web' } }))
        await client.getSecretValue({ SecretId: web.Name })
        assert.equal((await refusalOf(client.getSecretValue({ SecretId: ops.Name }))).name, denied)
        assert.equal((await refusalOf(client.getSecretValue({ SecretId: session.name() }))).name, denied)
      }
      const creator = await clientOf(
        allow('secretsmanager:TagResource', '*'),
        allow('secretsmanager:CreateSecret', '*', {
          StringEquals: { 'aws:RequestTag/team': 'web' },
          StringLike: { 'secretsmanager:Name': 'ecr-pullthroughcache/*-web' },
        }),
      )
      const Tags = [{ Key: 'team', Value: 'web' }]
      await creator.createSecret({ Name: `${session.name()}-web`, Tags })
      assert.equal((await refusalOf(creator.createSecret({ Name: session.name(), Tags }))).name, denied)
      assert.equal((await refusalOf(creator.createSecret({ Name: `${session.name()}-web` }))).name, denied)
      const current = await clientOf(
        allow('secretsmanager:GetSecretValue', '*', { StringEquals: { 'secretsmanager:VersionStage': 'AWSCURRENT' } }),
      )
      await current.getSecretValue({ SecretId: web.ARN, VersionStage: 'AWSCURRENT' })
      assert.equal((await refusalOf(current.getSecretValue({ SecretId: web.ARN }))).name, denied)
      const careful = await clientOf(allow('secretsmanager:DeleteSecret', '*'), {
        ...allow('secretsmanager:DeleteSecret', '*', { Bool: { 'secretsmanager:ForceDeleteWithoutRecovery': 'true' } }),
        Effect: 'Deny',
      })
      const forced = careful.deleteSecret({ SecretId: ops.ARN, ForceDeleteWithoutRecovery: true })
      assert.equal((await refusalOf(forced)).name, denied)
      await careful.deleteSecret({ SecretId: ops.ARN, RecoveryWindowInDays: 30 })
    })

    test('an explanation sees the tags of a secret, also of a request that was denied', async () => {
      const { Name, ARN } = await create({ team: 'web' })
      const ofTeam = (team: string) =>
        allow('secretsmanager:GetSecretValue', '*', { StringEquals: { 'aws:ResourceTag/team': team } })
      const lading = commandsOver(session.server.environment)
      const [web, ops] = [await session.user(ofTeam('web')), await session.user(ofTeam('ops'))]
      const why = async ({ accessKeyId }: Credentials) => {
        const question = ['--principal', accessKeyId, '--action', 'secretsmanager:GetSecretValue', '--resource', ARN]
        return lading.run('why', ...question)
      }
      assert.match(await why(web), /^ *allowed +(?:yes|true)/m)
      assert.match(await why(ops), /^ *allowed +(?:no|false)/m)
      const [ended] = await Promise.allSettled([
        session.client({ credentials: ops }).getSecretValue({ SecretId: Name }),
      ])
      const requestId: string = ended.status === 'rejected' ? ended.reason.$metadata.requestId : ''
      let explained = ''
      await until(async () => {
        explained = await lading.run('why', '--request', requestId).catch(() => '')
        return explained !== ''
      })
      assert.ok(explained.includes(ARN), explained)
    })

    test('a secret with tags needs the right to set tags', async () => {
      const client = await clientOf(allow('secretsmanager:CreateSecret', '*'))
      const Tags = [{ Key: 'team', Value: 'web' }]
      const { message } = await refusalOf(client.createSecret({ Name: session.name(), Tags }))
      assert.match(message, /secretsmanager:TagResource/)
      await client.createSecret({ Name: session.name() })
    })

    test('a caller who may create rules needs no right to read their secrets', async () => {
      const { ARN: own } = await create()
      await session.secrets.putSecretValue({ SecretId: own, SecretString: '{"username":"u","accessToken":"t"}' })
      const { url: endpoint, region } = session.server
      const credentials = await session.user(allow('ecr:CreatePullThroughCacheRule', '*'))
      const ecr = new ECR({ endpoint, region, credentials, maxAttempts: 1 })
      try {
        const rule = { ecrRepositoryPrefix: 'by-other', upstreamRegistryUrl: 'ghcr.io', credentialArn: own }
        assert.equal((await ecr.createPullThroughCacheRule(rule)).credentialArn, own)
      } finally {
        ecr.destroy()
      }
    })

    test('another account has secrets of its own, and no right to these', async () => {
      const { ARN, Name } = await create()
      const other = session.client({ credentials: await session.server.addAccount('111111111111') })
      assert.equal((await refusalOf(other.getSecretValue({ SecretId: ARN }))).name, denied)
      assert.equal((await refusalOf(other.getSecretValue({ SecretId: Name }))).name, 'ResourceNotFoundException')
      const own = await other.createSecret({ Name, SecretString: 'own' })
      assert.match(own.ARN ?? '', /:111111111111:/)
      assert.equal((await session.secrets.getSecretValue({ SecretId: Name })).SecretString, 'value')
    })

    test('managed policies of AWS give what they name', async () => {
      const { Name } = await create()
      const readOnly = 'AmazonEC2ContainerRegistryReadOnly'
      const policies = ['AdministratorAccess', 'PowerUserAccess', 'SecretsManagerReadWrite', readOnly]
      for (const policy of policies) {
        const UserName = `of-${policy}`
        await session.iam.createUser({ UserName })
        await session.iam.attachUserPolicy({ UserName, PolicyArn: `arn:aws:iam::aws:policy/${policy}` })
        const { AccessKey } = await session.iam.createAccessKey({ UserName })
        const client = session.client({
          credentials: { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' },
        })
        const read = client.getSecretValue({ SecretId: Name })
        if (policy === readOnly) assert.equal((await refusalOf(read)).name, denied)
        else assert.equal((await read).SecretString, 'value', policy)
      }
    })
  })
})
