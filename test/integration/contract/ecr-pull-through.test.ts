/** Create-, Update-, Delete-, Describe- and ValidatePullThroughCacheRule(s), by the AWS SDK. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  type CreatePullThroughCacheRuleCommandInput as Input,
  paginateDescribePullThroughCacheRules,
} from '@aws-sdk/client-ecr'
import { ecrQuotas } from '#config/quotas.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { answerOf, type EcrSession, refusalOf, startEcrSession } from '#test/support/ecr-session.ts'
import { createUpstreamSecret, openSecrets } from '#test/support/upstream-secret.ts'

const account = '000000000000'
const credentialArn = `arn:aws:secretsmanager:us-east-1:${account}:secret:ecr-pullthroughcache/hub-AbCdEf`
const customRoleArn = `arn:aws:iam::${account}:role/cache`
const elsewhere = '111111111111.dkr.ecr.eu-west-1.amazonaws.com'
const upstreamRegistryUrl = 'quay.io'

function invalid(member: string, constraint: string) {
  const message = `Invalid parameter at '${member}' failed to satisfy constraint: '${constraint}'`
  return { name: 'InvalidParameterException', message, status: 400 }
}

function notFound(prefix: string) {
  const message = `Pull through cache rule with repository prefix '${prefix}' does not exist in the registry with id '${account}'`
  return { name: 'PullThroughCacheRuleNotFoundException', message, status: 400 }
}

function unsupported(url: string) {
  const message = `The upstream registry URL ${url} is invalid. Specify a valid upstream registry URL and try again`
  return { name: 'UnsupportedUpstreamRegistryException', message, status: 400 }
}

const credentialed = [...['registry-1.docker.io', 'ghcr.io', 'registry.gitlab.com', 'mycompany.azurecr.io', 'cgr.dev']]
const unauthenticated = {
  name: 'UnsupportedUpstreamRegistryException',
  message: 'The specified upstream registry requires authentication. Specify a valid Secrets Manager ARN and try again',
  status: 400,
}

eachDatabase(({ dialect, url }) => {
  describe(`pull through cache rules by the SDK (${dialect})`, () => {
    let session: EcrSession
    let hubArn: string
    before(async () => {
      session = await startEcrSession({ database: await url() })
      hubArn = await createUpstreamSecret(session.server, 'hub')
    })
    after(() => session[Symbol.asyncDispose]())

    test('a rule is answered with what was deduced, by each operation its own part of it', async () => {
      const { ecr } = session
      const startedAt = Date.now()
      const ecrRepositoryPrefix = 'docker-hub'
      const created = await answerOf(
        ecr.createPullThroughCacheRule({
          ecrRepositoryPrefix: `${ecrRepositoryPrefix}/`,
          upstreamRegistryUrl: 'registry-1.docker.io',
          credentialArn: hubArn,
        }),
      )
      const { createdAt, upstreamRegistry, ...rule } = created
      assert.ok(createdAt && createdAt.getTime() >= startedAt && createdAt.getTime() <= Date.now())
      assert.equal(upstreamRegistry, 'docker-hub')
      assert.deepEqual(rule, {
        ecrRepositoryPrefix,
        registryId: account,
        upstreamRegistryUrl: 'registry-1.docker.io',
        credentialArn: hubArn,
      })

      const ecrRepositoryPrefixes = [ecrRepositoryPrefix]
      const described = await answerOf(ecr.describePullThroughCacheRules({ ecrRepositoryPrefixes }))
      assert.deepEqual(described, { pullThroughCacheRules: [{ ...created, updatedAt: createdAt }] })

      const other = await createUpstreamSecret(session.server, 'other-hub')
      const updated = await answerOf(ecr.updatePullThroughCacheRule({ ecrRepositoryPrefix, credentialArn: other }))
      const { updatedAt, ...changed } = updated
      assert.ok(updatedAt && updatedAt >= createdAt)
      const { upstreamRegistryUrl: _, ...kept } = rule
      assert.deepEqual(changed, { ...kept, credentialArn: other })

      const deleted = await answerOf(ecr.deletePullThroughCacheRule({ ecrRepositoryPrefix }))
      assert.deepEqual(deleted, { ...rule, createdAt, credentialArn: other })
      assert.deepEqual(
        await refusalOf(ecr.deletePullThroughCacheRule({ ecrRepositoryPrefix })),
        notFound(ecrRepositoryPrefix),
      )
    })

    test('the prefix upstream is shown as it was given, ROOT too, and not where it was left out', async () => {
      for (const upstreamRepositoryPrefix of ['ROOT', 'library', undefined]) {
        const ecrRepositoryPrefix = `shown-${upstreamRepositoryPrefix ?? 'not'}`.toLowerCase()
        const upstreamRegistryUrl = 'public.ecr.aws'
        const rule = { ecrRepositoryPrefix, upstreamRegistryUrl, upstreamRepositoryPrefix }
        assert.equal(
          (await session.ecr.createPullThroughCacheRule(rule)).upstreamRepositoryPrefix,
          upstreamRepositoryPrefix,
        )
        const { pullThroughCacheRules = [] } = await session.ecr.describePullThroughCacheRules({
          ecrRepositoryPrefixes: [ecrRepositoryPrefix],
        })
        assert.equal(pullThroughCacheRules[0]?.upstreamRepositoryPrefix, upstreamRepositoryPrefix)
      }
    })

    test('an update leaves what it does not name, and may not take away what the upstream needs', async () => {
      const { ecr } = session
      const ecrRepositoryPrefix = 'elsewhere'
      await ecr.createPullThroughCacheRule({
        ecrRepositoryPrefix,
        upstreamRegistryUrl: elsewhere,
        upstreamRepositoryPrefix: 'team/a',
        customRoleArn,
      })
      const update = async (change: { credentialArn?: string; customRoleArn?: string }) => {
        const { customRoleArn } = await ecr.updatePullThroughCacheRule({ ecrRepositoryPrefix, ...change })
        return customRoleArn
      }
      assert.equal(await update({}), customRoleArn)
      assert.equal(await update({ customRoleArn: `${customRoleArn}-2` }), `${customRoleArn}-2`)
      const missing = invalid('customRoleArn', `must be given for the registry of another account, ${elsewhere}`)
      assert.deepEqual(await refusalOf(update({ customRoleArn: '' })), missing)
      const { pullThroughCacheRules = [] } = await ecr.describePullThroughCacheRules({
        ecrRepositoryPrefixes: [ecrRepositoryPrefix],
      })
      assert.equal(pullThroughCacheRules[0]?.customRoleArn, `${customRoleArn}-2`)
      assert.equal(pullThroughCacheRules[0]?.upstreamRepositoryPrefix, 'team/a')
    })

    const credentialPattern =
      '^arn:aws(-\\w+)*:secretsmanager:[a-zA-Z0-9-:]+:secret:ecr\\-pullthroughcache\\/[a-zA-Z0-9\\/_+=.@-]+$'
    const refused: readonly [claim: string, input: Partial<Input>, refusal: object][] = [
      [
        'whose prefix is taken',
        { ecrRepositoryPrefix: 'taken/' },
        {
          name: 'PullThroughCacheRuleAlreadyExistsException',
          message: `The pull through cache rule with repository prefix 'taken' already exists in the registry with id '${account}'`,
          status: 400,
        },
      ],
      [
        'whose prefix is too long',
        { ecrRepositoryPrefix: 'a'.repeat(31) },
        invalid('ecrRepositoryPrefix', 'Member must have length less than or equal to 30'),
      ],
      [
        'with a prefix of one character and a slash',
        { ecrRepositoryPrefix: 'a/' },
        invalid('ecrRepositoryPrefix', 'Member must have length greater than or equal to 2'),
      ],
      [
        'with an upstream prefix of one character and a slash',
        { upstreamRepositoryPrefix: 'a/' },
        invalid('upstreamRepositoryPrefix', 'Member must have length greater than or equal to 2'),
      ],
      ['of an unknown upstream', { upstreamRegistryUrl: 'registry.example' }, unsupported('registry.example')],
      ['whose upstream has a scheme', { upstreamRegistryUrl: 'https://quay.io' }, unsupported('https://quay.io')],
      [
        'of the registry itself',
        { upstreamRegistryUrl: `${account}.dkr.ecr.us-east-1.amazonaws.com` },
        unsupported(`${account}.dkr.ecr.us-east-1.amazonaws.com`),
      ],
      [
        'whose upstream is named otherwise',
        { upstreamRegistry: 'k8s' },
        invalid('upstreamRegistry', 'must be quay for the given upstreamRegistryUrl'),
      ],
      ...credentialed.map((upstreamRegistryUrl): [string, object, object] => [
        `of ${upstreamRegistryUrl} without its secret`,
        { upstreamRegistryUrl },
        unauthenticated,
      ]),
      [
        'with a secret of another name',
        { credentialArn: credentialArn.replace('ecr-pullthroughcache', 'other') },
        invalid('credentialArn', `must satisfy regular expression '${credentialPattern}'`),
      ],
      [
        'with a secret of another region',
        { credentialArn: credentialArn.replace('us-east-1', 'eu-west-1') },
        invalid('credentialArn', `must be a secret of the account ${account} in region us-east-1`),
      ],
      [
        'with a secret of another account',
        { credentialArn: credentialArn.replace(account, '111111111111') },
        invalid('credentialArn', `must be a secret of the account ${account} in region us-east-1`),
      ],
      [
        'of another account without a role',
        { upstreamRegistryUrl: elsewhere },
        invalid('customRoleArn', `must be given for the registry of another account, ${elsewhere}`),
      ],
      [
        'with a role that is none',
        { customRoleArn: 'cache' },
        invalid('customRoleArn', `must be the ARN of a role of the account ${account}`),
      ],
      [
        'of ROOT for a part of its upstream',
        { ecrRepositoryPrefix: 'ROOT', upstreamRepositoryPrefix: 'team' },
        invalid('upstreamRepositoryPrefix', 'must be ROOT when ecrRepositoryPrefix is ROOT'),
      ],
      [
        "of another account's registry",
        { registryId: '111111111111' },
        {
          name: 'AccessDeniedException',
          message: `User: arn:aws:iam::${account}:root is not authorized to perform: ecr:CreatePullThroughCacheRule on resource: * because no resource-based policy allows the ecr:CreatePullThroughCacheRule action`,
          status: 400,
        },
      ],
    ]
    test('what cannot be a rule is refused, and none is stored', async (t) => {
      const { ecr } = session
      await ecr.createPullThroughCacheRule({ ecrRepositoryPrefix: 'taken', upstreamRegistryUrl })
      for (const [claim, input, refusal] of refused) {
        await t.test(`a rule ${claim}`, async () => {
          const call = ecr.createPullThroughCacheRule({ ecrRepositoryPrefix: 'refused', upstreamRegistryUrl, ...input })
          assert.deepEqual(await refusalOf(call), refusal)
        })
      }
      for (const ecrRepositoryPrefix of ['refused', 'ROOT']) {
        const missing = notFound(ecrRepositoryPrefix)
        const ecrRepositoryPrefixes = ['taken', ecrRepositoryPrefix]
        assert.deepEqual(await refusalOf(ecr.describePullThroughCacheRules({ ecrRepositoryPrefixes })), missing)
        assert.deepEqual(await refusalOf(ecr.updatePullThroughCacheRule({ ecrRepositoryPrefix })), missing)
        assert.deepEqual(await refusalOf(ecr.validatePullThroughCacheRule({ ecrRepositoryPrefix })), missing)
      }
    })

    test('a rule needs a secret that is there, opens and holds credentials, for its creation and for its change', async (t) => {
      const { ecr, server } = session
      const ecrRepositoryPrefix = 'with-secret'
      const create = (credentialArn: string) =>
        ecr.createPullThroughCacheRule({
          ...{ ecrRepositoryPrefix, credentialArn, upstreamRegistryUrl: 'registry-1.docker.io' },
        })
      const update = (credentialArn: string) => ecr.updatePullThroughCacheRule({ ecrRepositoryPrefix, credentialArn })
      const gone = await createUpstreamSecret(server, 'gone')
      using secrets = openSecrets(server)
      await secrets.client.deleteSecret({ SecretId: gone })
      const secret = (name: string, options: { value?: string; KmsKeyId?: string }) =>
        createUpstreamSecret(server, name, options)
      const refused: readonly [claim: string, arn: string, name: string][] = [
        ['that does not exist', credentialArn, 'SecretNotFoundException'],
        ['that is scheduled for deletion', gone, 'SecretNotFoundException'],
        [
          'under a key of its own',
          await secret('own-key', { KmsKeyId: 'alias/own' }),
          'UnableToDecryptSecretValueException',
        ],
        ['that is no JSON', await secret('text', { value: 'token' }), 'UnableToAccessSecretException'],
        ['that is a list', await secret('list', { value: '[1]' }), 'UnableToAccessSecretException'],
        ['without a token', await secret('half', { value: '{"username":"u"}' }), 'UnableToAccessSecretException'],
        [
          'of which a part is no text',
          await secret('number', { value: '{"username":"u","accessToken":1}' }),
          'UnableToAccessSecretException',
        ],
      ]
      for (const [claim, arn, name] of refused) {
        await t.test(`a secret ${claim}`, async () => assert.equal((await refusalOf(create(arn))).name, name))
      }
      assert.deepEqual(await refusalOf(update(hubArn)), notFound(ecrRepositoryPrefix))
      const usual = await secret('usual-key', { KmsKeyId: 'alias/aws/secretsmanager' })
      await create(usual.slice(0, -7))
      for (const [, arn, name] of refused) assert.equal((await refusalOf(update(arn))).name, name)
      assert.equal((await update(usual)).credentialArn, usual)
    })

    test('a listed host is shown without a kind, and needs neither a secret nor a role', async () => {
      await using listing = await startEcrSession({
        database: await url(),
        environment: {
          LADING_DOMAIN: 'registry.example',
          LADING_UPSTREAMS: `mirror.example:5000,registry-1.docker.io,${elsewhere}`,
        },
      })
      const { ecr } = listing
      const create = (ecrRepositoryPrefix: string, upstreamRegistryUrl: string, more: Partial<Input> = {}) =>
        answerOf(ecr.createPullThroughCacheRule({ ecrRepositoryPrefix, upstreamRegistryUrl, ...more }))
      const { createdAt, ...made } = await create('mirror', 'mirror.example:5000')
      const rule = { ecrRepositoryPrefix: 'mirror', registryId: account, upstreamRegistryUrl: 'mirror.example:5000' }
      assert.deepEqual(made, rule)
      assert.equal((await create('hub', 'registry-1.docker.io')).upstreamRegistry, 'docker-hub')
      assert.equal((await create('aws', elsewhere)).upstreamRegistry, 'ecr')
      const near = `${account}.dkr.ecr.eu-west-1.registry.example`
      assert.equal((await create('near', near, { upstreamRegistry: 'ecr' })).upstreamRegistry, 'ecr')
      const { pullThroughCacheRules = [] } = await ecr.describePullThroughCacheRules({
        ecrRepositoryPrefixes: ['mirror'],
      })
      assert.deepEqual(pullThroughCacheRules, [{ ...rule, createdAt, updatedAt: createdAt }])
      const { $metadata, ...deleted } = await ecr.deletePullThroughCacheRule({ ecrRepositoryPrefix: 'mirror' })
      assert.deepEqual(deleted, { ...rule, createdAt })

      assert.deepEqual(
        await refusalOf(create('named', 'mirror.example:5000', { upstreamRegistry: 'quay' })),
        invalid('upstreamRegistry', 'must be omitted for the given upstreamRegistryUrl'),
      )
      const others = '111111111111.dkr.ecr.us-east-1.registry.example'
      assert.deepEqual(
        await refusalOf(create('others', others)),
        invalid('customRoleArn', `must be given for the registry of another account, ${others}`),
      )
      for (const host of ['mirror.example', `${account}.dkr.ecr.us-east-1.registry.example`, `${near}:22`]) {
        assert.deepEqual(await refusalOf(create('unlisted', host)), unsupported(host))
      }
    })

    test('a deployment that allows no upstream refuses each new rule, and says why', async () => {
      const database = await url()
      await using before = await startEcrSession({ database })
      await before.ecr.createPullThroughCacheRule({ ecrRepositoryPrefix: 'kept', upstreamRegistryUrl })
      await using forbidding = await startEcrSession({ database, environment: { LADING_UPSTREAMS: 'none' } })
      const { ecr } = forbidding
      const call = ecr.createPullThroughCacheRule({ ecrRepositoryPrefix: 'more', upstreamRegistryUrl })
      assert.deepEqual(await refusalOf(call), {
        ...{ name: 'UnsupportedUpstreamRegistryException', status: 400 },
        message:
          'The upstream registry URL quay.io is not allowed: this deployment allows no upstream registries (LADING_UPSTREAMS is none)',
      })
      const { pullThroughCacheRules = [] } = await ecr.describePullThroughCacheRules({})
      assert.deepEqual(
        pullThroughCacheRules.map(({ ecrRepositoryPrefix }) => ecrRepositoryPrefix),
        ['kept'],
      )
    })

    test('pages joined are all rules by prefix, of one registry, and the fiftieth is the last', async () => {
      await using other = await startEcrSession({ database: await url() })
      const { ecr } = other
      const prefixes = Array.from({ length: ecrQuotas.pullThroughCacheRules }, (_, at) => `rule-${10 + at}`)
      const create = (ecrRepositoryPrefix: string) =>
        ecr.createPullThroughCacheRule({ ecrRepositoryPrefix, upstreamRegistryUrl })
      for (const prefix of prefixes.toReversed()) await create(prefix)
      assert.deepEqual(await refusalOf(create('one-more')), {
        name: 'LimitExceededException',
        message: `The maximum number of pull through cache rules, 50, has been reached in the registry with id '${account}'`,
        status: 400,
      })
      const abroad = other.client({ region: 'eu-west-1' })
      await abroad.createPullThroughCacheRule({ ecrRepositoryPrefix: 'one-more', upstreamRegistryUrl })

      const found: (string | undefined)[] = []
      for await (const page of paginateDescribePullThroughCacheRules({ client: ecr, pageSize: 20 }, {})) {
        found.push(...(page.pullThroughCacheRules ?? []).map(({ ecrRepositoryPrefix }) => ecrRepositoryPrefix))
      }
      assert.deepEqual(found, prefixes)
      const { nextToken } = await ecr.describePullThroughCacheRules({ maxResults: 1 })
      assert.deepEqual(
        await refusalOf(abroad.describePullThroughCacheRules({ nextToken })),
        invalid('NextToken', 'Invalid next token provided'),
      )
      assert.deepEqual(
        await refusalOf(ecr.describePullThroughCacheRules({ ecrRepositoryPrefixes: ['rule-10'], maxResults: 1 })),
        invalid('maxResults', 'must not be given together with ecrRepositoryPrefixes'),
      )
    })
  })
})
