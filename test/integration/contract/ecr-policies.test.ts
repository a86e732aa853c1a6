/** Policies of repositories and registries: what is taken, how it comes back, and that it acts from then on. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ECR } from '@aws-sdk/client-ecr'
import { IAM } from '@aws-sdk/client-iam'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { answerOf, type EcrSession, refusalOf, startEcrSession } from '#test/support/ecr-session.ts'

const other = '222222222222'

const allow = (Principal: unknown, Action: string | readonly string[], more: object = {}) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Sid: 'some one', Effect: 'Allow', Principal, Action, ...more }],
  })

/** A user of the session's account, with the policy that it is given. */
async function user({ server, client }: EcrSession, name: string, policy?: string): Promise<{ arn: string; ecr: ECR }> {
  const iam = new IAM({ endpoint: server.url, region: server.region, credentials: server.credentials })
  try {
    const { User } = await iam.createUser({ UserName: name })
    if (policy !== undefined) {
      await iam.putUserPolicy({ UserName: name, PolicyName: 'p', PolicyDocument: policy })
    }
    const { AccessKey } = await iam.createAccessKey({ UserName: name })
    const credentials = {
      accessKeyId: AccessKey?.AccessKeyId ?? '',
      secretAccessKey: AccessKey?.SecretAccessKey ?? '',
    }
    return { arn: User?.Arn ?? '', ecr: client({ credentials }) }
  } finally {
    iam.destroy()
  }
}

eachDatabaseInCi((databases) =>
  describe(`policies on ${databases.dialect}`, () => {
    test('a repository’s policy comes back as ECR prints it, is replaced whole and deleted', async () => {
      await using session = await startEcrSession({ database: await databases.url() })
      const { ecr, server } = session
      const repositoryName = await session.repository()
      const missing = {
        name: 'RepositoryPolicyNotFoundException',
        message: `Repository policy does not exist for the repository with name '${repositoryName}' in the registry with id '${server.account}'`,
        status: 400,
      }
      assert.deepEqual(await refusalOf(ecr.getRepositoryPolicy({ repositoryName })), missing)
      assert.deepEqual(await refusalOf(ecr.deleteRepositoryPolicy({ repositoryName })), missing)

      await server.addAccount(other)
      const policyText = allow({ AWS: [other, server.account] }, 'ecr:ListImages')
      const printed = `{
  "Version" : "2012-10-17",
  "Statement" : [ {
    "Sid" : "some one",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : [ "arn:aws:iam::${other}:root", "arn:aws:iam::${server.account}:root" ]
    },
    "Action" : "ecr:ListImages"
  } ]
}`
      const answer = { registryId: server.account, repositoryName, policyText: printed }
      assert.deepEqual(await answerOf(ecr.setRepositoryPolicy({ repositoryName, policyText })), answer)
      assert.deepEqual(await answerOf(ecr.getRepositoryPolicy({ repositoryName })), answer)
      await ecr.setRepositoryPolicy({ repositoryName, policyText: allow('*', 'ecr:PutImage') })
      const { policyText: replaced } = await ecr.getRepositoryPolicy({ repositoryName })
      assert.equal(JSON.parse(replaced ?? '').Statement[0].Action, 'ecr:PutImage')
      assert.deepEqual(
        JSON.parse((await ecr.deleteRepositoryPolicy({ repositoryName })).policyText ?? ''),
        JSON.parse(replaced ?? ''),
      )
      assert.deepEqual(await refusalOf(ecr.getRepositoryPolicy({ repositoryName })), missing)
      // Gone with the repository, and not there again with another of its name.
      await ecr.setRepositoryPolicy({ repositoryName, policyText })
      await ecr.deleteRepository({ repositoryName })
      await ecr.createRepository({ repositoryName })
      assert.deepEqual(await refusalOf(ecr.getRepositoryPolicy({ repositoryName })), missing)
    })

    test('what is no policy, or names nobody, is refused and changes nothing', async () => {
      await using session = await startEcrSession({ database: await databases.url() })
      const { ecr, server } = session
      const repositoryName = await session.repository()
      const refusals = async (policyText: string) => [
        await refusalOf(ecr.setRepositoryPolicy({ repositoryName, policyText })),
        await refusalOf(ecr.putRegistryPolicy({ policyText })),
      ]
      const invalid = [
        'no policy',
        '{}',
        allow('*', 's3:GetObject'),
        JSON.stringify({ Statement: [{ Effect: 'Allow', Action: 'ecr:*' }] }),
      ]
      const form = (of: string) =>
        `Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid ${of} policy provided'`
      for (const text of invalid) {
        const [repository, registry] = await refusals(text)
        assert.equal(repository?.name, 'InvalidParameterException')
        assert.ok(repository?.message.startsWith(form('repository')))
        assert.ok(registry?.message.startsWith(form('registry')))
      }
      const userArn = `arn:aws:iam::${server.account}:user/nobody`
      for (const missing of [userArn, `${userArn}\0`, `arn:aws:iam::333333333333:root`]) {
        for (const { message } of await refusals(allow({ AWS: missing }, 'ecr:PutImage'))) {
          assert.match(message, /Principal not found/)
        }
      }
      assert.equal(
        (await refusalOf(ecr.getRepositoryPolicy({ repositoryName }))).name,
        'RepositoryPolicyNotFoundException',
      )
      assert.equal((await refusalOf(ecr.getRegistryPolicy({}))).name, 'RegistryPolicyNotFoundException')
      const { name } = await refusalOf(
        ecr.setRepositoryPolicy({ repositoryName: 'not/there', policyText: allow('*', 'ecr:*') }),
      )
      assert.equal(name, 'RepositoryNotFoundException')
    })

    test('whoever would lock itself out is told so, unless it insists', async () => {
      await using session = await startEcrSession({ database: await databases.url() })
      const { ecr } = session
      const repositoryName = await session.repository()
      const policyText = JSON.stringify({
        Statement: [{ Effect: 'Deny', Principal: '*', Action: ['ecr:SetRepositoryPolicy'] }],
      })
      const { name, message } = await refusalOf(ecr.setRepositoryPolicy({ repositoryName, policyText }))
      assert.equal(name, 'InvalidParameterException')
      assert.match(message, /force/)
      await ecr.setRepositoryPolicy({ repositoryName, policyText, force: true })
      const denied = await refusalOf(ecr.setRepositoryPolicy({ repositoryName, policyText, force: true }))
      assert.match(denied.message, /with an explicit deny in a resource-based policy$/)
      await ecr.deleteRepositoryPolicy({ repositoryName })
    })

    test('a repository’s policy grants to a user whom it names, and across accounts beside the user’s own', async () => {
      await using session = await startEcrSession({ database: await databases.url() })
      const repositoryName = await session.repository()
      const alice = await user(session, 'alice')
      const list = (client: ECR) => client.listImages({ repositoryName, registryId: session.server.account })
      const arn = `arn:aws:ecr:${session.server.region}:${session.server.account}:repository/${repositoryName}`
      assert.deepEqual(await refusalOf(list(alice.ecr)), {
        name: 'AccessDeniedException',
        message: `User: ${alice.arn} is not authorized to perform: ecr:ListImages on resource: ${arn} because no identity-based policy allows the ecr:ListImages action`,
        status: 400,
      })
      await session.ecr.setRepositoryPolicy({ repositoryName, policyText: allow({ AWS: alice.arn }, 'ecr:ListImages') })
      assert.deepEqual((await list(alice.ecr)).imageIds, [])

      const stranger = session.client({ credentials: await session.server.addAccount(other) })
      assert.match(
        (await refusalOf(list(stranger))).message,
        /because no resource-based policy allows the ecr:ListImages action$/,
      )
      await session.ecr.setRepositoryPolicy({ repositoryName, policyText: allow({ AWS: other }, 'ecr:ListImages') })
      assert.deepEqual((await list(stranger)).imageIds, [])
      assert.equal((await refusalOf(list(alice.ecr))).name, 'AccessDeniedException')
    })

    test('a registry’s policy is of one registry, and grants what it says in it', async () => {
      await using session = await startEcrSession({ database: await databases.url() })
      const { ecr, server } = session
      const alice = await user(session, 'alice')
      const resource = `arn:aws:ecr:${server.region}:${server.account}:repository/team/*`
      const policyText = allow({ AWS: alice.arn }, 'ecr:CreateRepository', { Resource: resource })
      const none = {
        name: 'RegistryPolicyNotFoundException',
        message: `Registry policy does not exist in the registry with id '${server.account}'`,
        status: 400,
      }
      assert.deepEqual(await refusalOf(ecr.getRegistryPolicy({})), none)
      assert.equal((await ecr.putRegistryPolicy({ policyText })).registryId, server.account)
      assert.deepEqual(JSON.parse((await ecr.getRegistryPolicy({})).policyText ?? ''), JSON.parse(policyText))
      assert.equal((await refusalOf(session.client({ region: 'eu-west-3' }).getRegistryPolicy({}))).name, none.name)

      await alice.ecr.createRepository({ repositoryName: 'team/app' })
      assert.equal(
        (await refusalOf(alice.ecr.createRepository({ repositoryName: 'app' }))).name,
        'AccessDeniedException',
      )
      await ecr.deleteRegistryPolicy({})
      assert.deepEqual(await refusalOf(ecr.deleteRegistryPolicy({})), none)
      assert.equal(
        (await refusalOf(alice.ecr.createRepository({ repositoryName: 'team/app' }))).name,
        'AccessDeniedException',
      )
    })

    test('under the older scope a registry’s policy is about three actions alone', async () => {
      await using session = await startEcrSession({ database: await databases.url() })
      const { ecr } = session
      await ecr.putAccountSetting({ name: 'REGISTRY_POLICY_SCOPE', value: 'V1' })
      for (const action of ['ecr:*', 'ecr:PutImage', '*']) {
        const { message } = await refusalOf(ecr.putRegistryPolicy({ policyText: allow('*', action) }))
        assert.match(message, /Invalid registry policy provided/)
      }
      const policyText = allow('*', ['ecr:ReplicateImage', 'ecr:CreateRepository', 'ecr:BatchImportUpstreamImage'])
      await ecr.putRegistryPolicy({ policyText })
      await ecr.putAccountSetting({ name: 'REGISTRY_POLICY_SCOPE', value: 'V2' })
      await ecr.putRegistryPolicy({ policyText: allow('*', 'ecr:*') })
      assert.equal(
        (await refusalOf(ecr.putAccountSetting({ name: 'REGISTRY_POLICY_SCOPE', value: 'V1' }))).name,
        'InvalidParameterException',
      )
    })
  }),
)
