import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { ECR } from '@aws-sdk/client-ecr'
import { IAM } from '@aws-sdk/client-iam'
import { type AssumeRoleCommandInput, type AssumeRoleCommandOutput, STS } from '@aws-sdk/client-sts'
import { type Databases, eachDatabaseInCi } from '#test/support/databases.ts'
import { refusalOf } from '#test/support/ecr-session.ts'
import { startOidcIssuer } from '#test/support/oidc-issuer.ts'
import { type Credentials, startServer } from '#test/support/server.ts'

interface SessionCredentials extends Credentials {
  readonly sessionToken: string
}

const invalid = (message: string) => ({ name: 'InvalidParameterValue', message, status: 400 })

const sessionName = 'a-session'

function document(...Statement: object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement })
}

const allowing = (Action: string | string[], more: object = {}) =>
  document({ Effect: 'Allow', Action, Resource: '*', ...more })

const trusting = (Principal: object, more: object = {}) =>
  document({ Effect: 'Allow', Principal, Action: ['sts:AssumeRole', 'sts:TagSession'], ...more })

async function world(t: TestContext, databases: Databases) {
  const time = { now: Math.floor(Date.now() / 1000) * 1000 }
  const server = await startServer({ database: await databases.url(), clock: () => time.now })
  t.after(() => server.stop())
  const closing: { destroy(): void }[] = []
  t.after(() => {
    for (const each of closing) each.destroy()
  })
  const options = (credentials: Credentials) => ({
    ...{ endpoint: server.url, region: server.region, credentials, maxAttempts: 1 },
    // Signs by the server's clock, which is not always the machine's.
    systemClockOffset: time.now - Date.now(),
  })
  const opened = <Client extends { destroy(): void }>(client: Client) => {
    closing.push(client)
    return client
  }
  const iam = opened(new IAM(options(server.credentials)))
  const sts = (credentials: Credentials = server.credentials) => opened(new STS(options(credentials)))
  const ecr = (credentials: Credentials) => opened(new ECR(options(credentials)))
  const roleArn = (name: string, account = server.account) => `arn:aws:iam::${account}:role/${name}`

  return {
    time,
    server,
    iam,
    sts,
    ecr,
    roleArn,
    async user(UserName: string, policy?: string): Promise<Credentials> {
      await iam.createUser({ UserName })
      if (policy) await iam.putUserPolicy({ UserName, PolicyName: 'own', PolicyDocument: policy })
      const { AccessKey } = await iam.createAccessKey({ UserName })
      return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' }
    },
    async role(RoleName: string, trust: string, policy = allowing('ecr:*'), more: object = {}): Promise<string> {
      await iam.createRole({ RoleName, AssumeRolePolicyDocument: trust, ...more })
      await iam.putRolePolicy({ RoleName, PolicyName: 'own', PolicyDocument: policy })
      return roleArn(RoleName)
    },
    async assume(
      credentials: Credentials,
      RoleArn: string,
      more: Partial<AssumeRoleCommandInput> = {},
    ): Promise<SessionCredentials> {
      const { Credentials } = await sts(credentials).assumeRole({ RoleArn, RoleSessionName: sessionName, ...more })
      return sessionOf(Credentials)
    },
  }
}

function sessionOf(given: AssumeRoleCommandOutput['Credentials']): SessionCredentials {
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken } = given ?? {}
  if (!accessKeyId || !secretAccessKey || !sessionToken) throw new Error('no credentials were given')
  return { accessKeyId, secretAccessKey, sessionToken }
}

const denied = (who: string, action: string, resource: string) => ({
  ...{ name: 'AccessDenied', status: 403 },
  message: `User: ${who} is not authorized to perform: ${action} on resource: ${resource}`,
})

eachDatabaseInCi((databases) => {
  describe(`AssumeRole, ${databases.dialect}`, () => {
    test('whoever is trusted and allowed acts as the role, for an hour', async (t) => {
      const { server, user, role, sts, ecr, time } = await world(t, databases)
      const ann = await user('ann', allowing('sts:AssumeRole'))
      const RoleArn = await role('deploy', trusting({ AWS: server.account }), allowing('ecr:DescribeRepositories'))
      const answer = await sts(ann).assumeRole({ RoleArn, RoleSessionName: sessionName })
      const arn = `arn:aws:sts::${server.account}:assumed-role/deploy/${sessionName}`
      assert.equal(answer.AssumedRoleUser?.Arn, arn)
      assert.match(answer.AssumedRoleUser.AssumedRoleId ?? '', /^AROA[A-Z2-7]{16}:a-session$/)
      assert.equal(answer.Credentials?.Expiration?.getTime(), time.now + 3_600_000)
      const session = sessionOf(answer.Credentials)
      assert.match(session.accessKeyId, /^ASIA[A-Z2-7]{16}$/)
      const { Arn, UserId, Account } = await sts(session).getCallerIdentity({})
      assert.deepEqual([Arn, UserId, Account], [arn, answer.AssumedRoleUser.AssumedRoleId, server.account])
      await ecr(session).describeRepositories({})
      const { name } = await refusalOf(ecr(session).createRepository({ repositoryName: 'team/app' }))
      assert.equal(name, 'AccessDeniedException')
      time.now += 3_600_000
      assert.equal((await refusalOf(ecr(session).describeRepositories({}))).name, 'ExpiredTokenException')
    })

    test('a token or a key that is not of the session signs nothing', async (t) => {
      const { server, user, role, assume, sts } = await world(t, databases)
      const ann = await user('ann', allowing('sts:AssumeRole'))
      const RoleArn = await role('deploy', trusting({ AWS: server.account }))
      const session = await assume(ann, RoleArn)
      const another = await assume(ann, RoleArn)
      for (const wrong of [
        { ...session, sessionToken: another.sessionToken },
        { accessKeyId: session.accessKeyId, secretAccessKey: session.secretAccessKey },
        { ...ann, sessionToken: session.sessionToken },
      ]) {
        assert.equal((await refusalOf(sts(wrong).getCallerIdentity({}))).name, 'InvalidClientTokenId')
      }
      const secretAccessKey = another.secretAccessKey
      const { name } = await refusalOf(sts({ ...session, secretAccessKey }).getCallerIdentity({}))
      assert.equal(name, 'SignatureDoesNotMatch')
    })

    test('both sides have to allow it, and the answer is the same for a role that is not there', async (t) => {
      const { server, user, role, assume, roleArn, iam } = await world(t, databases)
      const ann = await user('ann')
      const bob = await user('bob', allowing('sts:AssumeRole'))
      const arnOf = (name: string) => `arn:aws:iam::${server.account}:user/${name}`
      const byAccount = await role('by-account', trusting({ AWS: server.account }))
      const byName = await role('by-name', trusting({ AWS: arnOf('ann') }))
      const refusal = (name: string, role: string) => denied(arnOf(name), 'sts:AssumeRole', role)
      assert.deepEqual(await refusalOf(assume(ann, byAccount)), refusal('ann', byAccount))
      assert.deepEqual(await refusalOf(assume(bob, byName)), refusal('bob', byName))
      for (const absent of [roleArn('absent'), roleArn('BY-ACCOUNT'), roleArn('path/by-account')]) {
        assert.deepEqual(await refusalOf(assume(bob, absent)), refusal('bob', absent))
      }
      await assume(bob, byAccount)
      await assume(ann, byName)
      const deny = document({ Effect: 'Deny', Action: 'sts:*', Resource: '*' })
      await iam.putUserPolicy({ UserName: 'ann', PolicyName: 'deny', PolicyDocument: deny })
      assert.deepEqual(await refusalOf(assume(ann, byName)), refusal('ann', byName))
      const { message } = await refusalOf(assume(server.credentials, byAccount))
      assert.equal(message, 'Roles may not be assumed by root accounts.')
    })

    test('a trust policy may ask for an external id and for the name of the session', async (t) => {
      const { server, user, role, assume } = await world(t, databases)
      const ann = await user('ann', allowing('sts:AssumeRole'))
      const Condition = { StringEquals: { 'sts:ExternalId': 'secret', 'sts:RoleSessionName': sessionName } }
      const RoleArn = await role('deploy', trusting({ AWS: server.account }, { Condition }))
      await assume(ann, RoleArn, { ExternalId: 'secret' })
      for (const wrong of [{}, { ExternalId: 'other' }, { ExternalId: 'secret', RoleSessionName: 'other' }]) {
        assert.equal((await refusalOf(assume(ann, RoleArn, wrong))).name, 'AccessDenied')
      }
    })

    test('session policies take away, and give nothing', async (t) => {
      const { server, user, role, assume, ecr, iam } = await world(t, databases)
      const ann = await user('ann', allowing('sts:AssumeRole'))
      const RoleArn = await role('deploy', trusting({ AWS: server.account }), allowing('ecr:DescribeRepositories'))
      const { Policy } = await iam.createPolicy({
        ...{ PolicyName: 'describe', PolicyDocument: allowing('ecr:Describe*') },
      })
      const describing = [{ arn: Policy?.Arn }]
      for (const bounds of [{ Policy: allowing('ecr:*') }, { PolicyArns: describing }]) {
        const session = await assume(ann, RoleArn, bounds)
        await ecr(session).describeRepositories({})
        const { name } = await refusalOf(ecr(session).createRepository({ repositoryName: 'team/app' }))
        assert.equal(name, 'AccessDeniedException')
      }
      const bounded = await assume(ann, RoleArn, { Policy: allowing('ecr:ListImages') })
      assert.match((await refusalOf(ecr(bounded).describeRepositories({}))).message, /no session policy allows/)

      assert.equal((await refusalOf(assume(ann, RoleArn, { Policy: '{}' }))).name, 'MalformedPolicyDocumentException')
      const absent = [{ arn: `${Policy?.Arn}x` }]
      assert.equal(
        (await refusalOf(assume(ann, RoleArn, { PolicyArns: absent }))).name,
        'MalformedPolicyDocumentException',
      )
      for (const large of [
        { Policy: `${allowing('ecr:*')}${' '.repeat(2_048)}` },
        { PolicyArns: Array.from({ length: 11 }, () => describing).flat() },
      ]) {
        assert.equal((await refusalOf(assume(ann, RoleArn, large))).name, 'PackedPolicyTooLargeException')
      }
    })

    test('a session lasts as long as its role lets it, and an hour where it comes of another one', async (t) => {
      const { server, user, role, sts, assume } = await world(t, databases)
      const ann = await user('ann', allowing('sts:AssumeRole'))
      const trust = trusting({ AWS: server.account })
      const RoleArn = await role('deploy', trust, allowing('sts:*'), { MaxSessionDuration: 7_200 })
      const session = await assume(ann, RoleArn, { DurationSeconds: 7_200 })
      const long = await refusalOf(assume(ann, RoleArn, { DurationSeconds: 7_201 }))
      assert.deepEqual(long, {
        ...{ name: 'ValidationError', status: 400 },
        message: 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
      })
      const chained = { RoleArn, RoleSessionName: 'next', DurationSeconds: 3_601 }
      assert.match((await refusalOf(sts(session).assumeRole(chained))).message, /role chaining/)
      const next = sessionOf((await sts(session).assumeRole({ ...chained, DurationSeconds: 3_600 })).Credentials)
      assert.match((await sts(next).getCallerIdentity({})).Arn ?? '', /assumed-role\/deploy\/next$/)
      assert.equal((await refusalOf(assume(ann, RoleArn, { DurationSeconds: 899 }))).name, 'ValidationError')
    })

    test('tags of a session are seen by policies, and go on where they are transitive', async (t) => {
      const { server, user, role, sts, assume, ecr } = await world(t, databases)
      const ann = await user('ann', allowing(['sts:AssumeRole', 'sts:TagSession']))
      const Condition = { StringEquals: { 'aws:PrincipalTag/team': 'a', 'aws:PrincipalTag/color': 'red' } }
      const policy = document(
        { Effect: 'Allow', Action: 'sts:*', Resource: '*' },
        { Effect: 'Allow', Action: 'ecr:DescribeRepositories', Resource: '*', Condition },
      )
      const RoleArn = await role('deploy', trusting({ AWS: server.account }), policy, {
        // The role's own, which the session's of that key takes the place of.
        Tags: [
          { Key: 'color', Value: 'red' },
          { Key: 'Team', Value: 'b' },
        ],
      })
      const Tags = [{ Key: 'team', Value: 'a' }]
      const session = await assume(ann, RoleArn, { Tags, TransitiveTagKeys: ['Team'] })
      await ecr(session).describeRepositories({})
      assert.equal((await refusalOf(ecr(await assume(ann, RoleArn)).describeRepositories({}))).status, 400)
      const next = { RoleArn, RoleSessionName: 'next' }
      await ecr(sessionOf((await sts(session).assumeRole(next)).Credentials)).describeRepositories({})
      const other = { ...next, Tags: [{ Key: 'TEAM', Value: 'b' }] }
      const conflict =
        "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session."
      assert.deepEqual(await refusalOf(sts(session).assumeRole(other)), invalid(conflict))
      const unset = 'The specified transitive tag key must be included in the requested tags.'
      for (const TransitiveTagKeys of [['absent'], ['Team', 'absent']]) {
        assert.deepEqual(await refusalOf(assume(ann, RoleArn, { Tags, TransitiveTagKeys })), invalid(unset))
      }
      assert.deepEqual(
        await refusalOf(sts(session).assumeRole({ ...next, TransitiveTagKeys: ['team'] })),
        invalid(unset),
      )
      for (const [keys, message] of [
        [['a', 'A'], 'Duplicate tag keys found. Please note that Tag keys are case insensitive.'],
        [['aws:x'], "Tag keys that begin with 'aws:' are reserved for system use."],
      ] as const) {
        const wrong = { Tags: keys.map((Key) => ({ Key, Value: '' })) }
        assert.deepEqual(await refusalOf(assume(ann, RoleArn, wrong)), invalid(message))
      }
      const bob = await user('bob', allowing('sts:AssumeRole'))
      assert.equal((await refusalOf(assume(bob, RoleArn, { Tags }))).name, 'AccessDenied')
    })

    test('a role that is named by no ARN is refused as such, signed or not', async (t) => {
      const { user, sts } = await world(t, databases)
      const ann = await user('ann', allowing('sts:AssumeRole'))
      const none = [
        ...['nothing-valid-in-here', 'arn::b:::something/test-role', 'arn:a::::something/test-role'],
        ...['arn:a:::something/test-role', 'arn:a:a::aaaaaaaaaa:'],
      ]
      for (const RoleArn of none) {
        const expected = { name: 'ValidationError', message: `${RoleArn} is invalid`, status: 400 }
        const named = { RoleArn, RoleSessionName: sessionName }
        assert.deepEqual(await refusalOf(sts(ann).assumeRole(named)), expected)
        assert.deepEqual(
          await refusalOf(sts().assumeRoleWithWebIdentity({ ...named, WebIdentityToken: 'none' })),
          expected,
        )
      }
      // An ARN of something else is one all the same, and nothing says whether the role exists.
      const other = { RoleArn: 'arn:aws:s3:::no-such-role-at-all', RoleSessionName: sessionName }
      assert.equal((await refusalOf(sts(ann).assumeRole(other))).name, 'AccessDenied')
    })

    test('who stands behind a session is said once, and goes on', async (t) => {
      const { server, user, role, sts, assume } = await world(t, databases)
      const ann = await user('ann', allowing('sts:*'))
      const trust = document({ Effect: 'Allow', Principal: { AWS: server.account }, Action: 'sts:*' })
      const RoleArn = await role('deploy', trust, allowing('sts:*'))
      const SourceIdentity = 'ann'
      const session = await assume(ann, RoleArn, { SourceIdentity })
      const next = { RoleArn, RoleSessionName: 'next' }
      assert.equal((await sts(session).assumeRole(next)).SourceIdentity, SourceIdentity)
      const other = await refusalOf(sts(session).assumeRole({ ...next, SourceIdentity: 'bob' }))
      assert.equal(other.name, 'ValidationError')
      const plain = await role('plain', trusting({ AWS: server.account }))
      assert.equal((await refusalOf(assume(ann, plain, { SourceIdentity }))).name, 'AccessDenied')
    })

    test('another account may take on a role that trusts it, if its own policies let it', async (t) => {
      const { server, role, sts, iam } = await world(t, databases)
      const other = '222222222222'
      const root = await server.addAccount(other)
      const theirs = new IAM({ endpoint: server.url, region: server.region, credentials: root, maxAttempts: 1 })
      t.after(() => theirs.destroy())
      await theirs.createUser({ UserName: 'eve' })
      const { AccessKey } = await theirs.createAccessKey({ UserName: 'eve' })
      const eve = { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' }
      const who = `arn:aws:iam::${other}:user/eve`
      const request = { RoleArn: await role('deploy', trusting({ AWS: who })), RoleSessionName: sessionName }
      const refusal = denied(who, 'sts:AssumeRole', request.RoleArn)
      assert.deepEqual(await refusalOf(sts(eve).assumeRole(request)), refusal)
      await theirs.putUserPolicy({ UserName: 'eve', PolicyName: 'own', PolicyDocument: allowing('sts:AssumeRole') })
      const session = sessionOf((await sts(eve).assumeRole(request)).Credentials)
      assert.equal((await sts(session).getCallerIdentity({})).Account, server.account)
      const own = trusting({ AWS: server.account })
      await iam.updateAssumeRolePolicy({ RoleName: 'deploy', PolicyDocument: own })
      assert.deepEqual(await refusalOf(sts(eve).assumeRole(request)), refusal)
    })

    test('a session ends with its role', async (t) => {
      const { server, user, role, assume, sts, iam } = await world(t, databases)
      const ann = await user('ann', allowing('sts:AssumeRole'))
      const session = await assume(ann, await role('deploy', trusting({ AWS: server.account })))
      await iam.deleteRolePolicy({ RoleName: 'deploy', PolicyName: 'own' })
      await iam.deleteRole({ RoleName: 'deploy' })
      assert.equal((await refusalOf(sts(session).getCallerIdentity({}))).name, 'InvalidClientTokenId')
      await role('deploy', trusting({ AWS: server.account }))
      assert.equal((await refusalOf(sts(session).getCallerIdentity({}))).name, 'InvalidClientTokenId')
    })
  })

  describe(`AssumeRoleWithWebIdentity, ${databases.dialect}`, () => {
    async function federation(t: TestContext) {
      const all = await world(t, databases)
      const issuer = await startOidcIssuer()
      t.after(() => issuer[Symbol.asyncDispose]())
      const { OpenIDConnectProviderArn: Federated } = await all.iam.createOpenIDConnectProvider({
        ...{ Url: issuer.url, ClientIDList: ['a-client'] },
      })
      const host = issuer.url.replace('https://', '')
      const RoleArn = await all.role(
        'deploy',
        document({
          Effect: 'Allow',
          Principal: { Federated },
          Action: 'sts:AssumeRoleWithWebIdentity',
          Condition: { StringEquals: { [`${host}:aud`]: 'a-client' }, StringLike: { [`${host}:sub`]: 'repo:team/*' } },
        }),
        allowing(['ecr:GetAuthorizationToken', 'ecr:DescribeRepositories', 'ecr:BatchGetImage']),
      )
      // Nobody's credentials: what is sent bears no signature.
      const anonymous = new STS({ endpoint: all.server.url, region: all.server.region, maxAttempts: 1 })
      t.after(() => anonymous.destroy())
      const assume = async (claims = {}, more = {}) =>
        anonymous.assumeRoleWithWebIdentity({
          ...{ RoleArn, RoleSessionName: sessionName, ...more },
          WebIdentityToken: await issuer.token({ sub: 'repo:team/app', ...claims }, { now: all.time.now }),
        })
      return { ...all, issuer, host, anonymous, RoleArn, assume }
    }

    test('a CI system logs in with its token alone, as far as docker', async (t) => {
      const { server, assume, ecr, issuer, iam } = await federation(t)
      const answer = await assume()
      const arn = `arn:aws:sts::${server.account}:assumed-role/deploy/${sessionName}`
      assert.equal(answer.AssumedRoleUser?.Arn, arn)
      assert.equal(answer.SubjectFromWebIdentityToken, 'repo:team/app')
      assert.equal(answer.Audience, 'a-client')
      assert.equal(answer.Provider, issuer.url)
      const client = ecr(sessionOf(answer.Credentials))
      const { authorizationData } = await client.getAuthorizationToken({})
      const authorization = `Basic ${authorizationData?.[0]?.authorizationToken}`
      const v2 = await fetch(`${server.url}/v2/`, { headers: { authorization } })
      assert.equal(v2.status, 200)
      const manifest = await fetch(`${server.url}/v2/team/app/manifests/latest`, { headers: { authorization } })
      assert.equal(manifest.status, 404)
      await iam.putRolePolicy({
        ...{ RoleName: 'deploy', PolicyName: 'own', PolicyDocument: allowing('ecr:GetAuthorizationToken') },
      })
      const refused = await fetch(`${server.url}/v2/team/app/manifests/latest`, { headers: { authorization } })
      assert.equal(refused.status, 403)
    })

    test('a token that the trust policy does not ask for gives nothing, and neither does a role that is not there', async (t) => {
      const { assume, roleArn } = await federation(t)
      const refusal = {
        ...{ name: 'AccessDenied', message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity', status: 403 },
      }
      assert.deepEqual(await refusalOf(assume({ sub: 'repo:other/app' })), refusal)
      assert.deepEqual(await refusalOf(assume({}, { RoleArn: roleArn('absent') })), refusal)
      assert.deepEqual(await refusalOf(assume({}, { RoleArn: 'arn:aws:iam::1:role/no-account' })), refusal)
    })

    test('a token that proves nothing is refused with its reason', async (t) => {
      const { assume, anonymous, RoleArn, time, issuer, roleArn } = await federation(t)
      const nameAndMessage = async (call: Promise<unknown>) => {
        const { name, message } = await refusalOf(call)
        return [name, message]
      }
      assert.deepEqual(await nameAndMessage(assume({ aud: 'other' })), [
        ...['InvalidIdentityTokenException', 'Incorrect token audience'],
      ])
      assert.deepEqual(await nameAndMessage(assume({ iss: 'https://elsewhere.example' })), [
        'InvalidIdentityTokenException',
        'No OpenIDConnect provider found in your account for https://elsewhere.example',
      ])
      const elsewhere = await refusalOf(assume({}, { RoleArn: roleArn('deploy', '222222222222') }))
      assert.equal(elsewhere.name, 'InvalidIdentityTokenException')
      const [expired] = await nameAndMessage(assume({ exp: time.now / 1000 - 60 }))
      assert.equal(expired, 'ExpiredTokenException')
      const garbage = { RoleArn, RoleSessionName: sessionName, WebIdentityToken: 'garbage' }
      const [invalid] = await nameAndMessage(anonymous.assumeRoleWithWebIdentity(garbage))
      assert.equal(invalid, 'InvalidIdentityTokenException')
      issuer.answer('/.well-known/openid-configuration', (response) => response.writeHead(500).end())
      time.now += 600_000
      const [unreachable] = await nameAndMessage(assume())
      assert.equal(unreachable, 'IDPCommunicationErrorException')
    })

    test('what is not meant for strangers takes no unsigned call', async (t) => {
      const { server } = await federation(t)
      for (const action of ['GetCallerIdentity', 'AssumeRole', 'GetSessionToken', 'Nothing']) {
        const answer = await fetch(server.url, {
          method: 'POST',
          body: new URLSearchParams({ Action: action, Version: '2011-06-15' }),
        })
        assert.deepEqual([answer.status, (await answer.text()).includes('MissingAuthenticationToken')], [403, true])
      }
    })
  })

  describe(`GetSessionToken and GetAccessKeyInfo, ${databases.dialect}`, () => {
    test('temporary credentials of a user may do what the user may, and of root for an hour at most', async (t) => {
      const { server, user, sts, ecr, time } = await world(t, databases)
      const ann = await user('ann', allowing('ecr:DescribeRepositories'))
      const { Credentials } = await sts(ann).getSessionToken({})
      assert.equal(Credentials?.Expiration?.getTime(), time.now + 43_200_000)
      const session = sessionOf(Credentials)
      assert.equal((await sts(session).getCallerIdentity({})).Arn, `arn:aws:iam::${server.account}:user/ann`)
      await ecr(session).describeRepositories({})
      const again = await refusalOf(sts(session).getSessionToken({}))
      assert.deepEqual(again, {
        ...{ name: 'AccessDenied', status: 403 },
        message: 'Cannot call GetSessionToken with session credentials',
      })
      const root = await sts().getSessionToken({ DurationSeconds: 43_200 })
      assert.equal(root.Credentials?.Expiration?.getTime(), time.now + 3_600_000)
      const mfa = { SerialNumber: 'arn:aws:iam::000000000000:mfa/ann', TokenCode: '123456' }
      assert.equal((await refusalOf(sts(ann).getSessionToken(mfa))).name, 'AccessDenied')
    })

    test('temporary credentials of a user or of root make no lasting ones', async (t) => {
      const { server, user, sts } = await world(t, databases)
      for (const credentials of [server.credentials, await user('ann', allowing('*'))]) {
        const session = sessionOf((await sts(credentials).getSessionToken({})).Credentials)
        const iam = new IAM({ endpoint: server.url, region: server.region, credentials: session, maxAttempts: 1 })
        t.after(() => iam.destroy())
        const { name, message } = await refusalOf(iam.createAccessKey({ UserName: 'ann' }))
        assert.equal(name, 'AccessDenied')
        assert.match(message, /because no session policy allows the iam:CreateAccessKey action$/)
      }
    })

    test('an error before the form is read has the namespace of the service that it is signed for', async (t) => {
      const { server } = await world(t, databases)
      for (const [service, Version] of [
        ['sts', '2011-06-15'],
        ['iam', '2010-05-08'],
      ] as const) {
        const credential = `AKIAABSENTABSENTABSE/20260101/us-east-1/${service}/aws4_request`
        const answer = await fetch(server.url, {
          method: 'POST',
          headers: {
            'content-type': 'application/x-www-form-urlencoded',
            'x-amz-date': '20260101T000000Z',
            authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`,
          },
          body: new URLSearchParams({ Action: 'GetCallerIdentity', Version }),
        })
        assert.equal(answer.status, 403)
        assert.match(
          await answer.text(),
          new RegExp(`^<ErrorResponse xmlns="https://${service}\\.amazonaws\\.com/doc/${Version}/">`),
        )
      }
    })

    test('a key tells its account', async (t) => {
      const { server, user, sts } = await world(t, databases)
      const ann = await user('ann')
      const session = sessionOf((await sts(ann).getSessionToken({})).Credentials)
      for (const { accessKeyId: AccessKeyId } of [server.credentials, ann, session]) {
        assert.equal((await sts().getAccessKeyInfo({ AccessKeyId })).Account, server.account)
      }
      const unknown = await refusalOf(sts().getAccessKeyInfo({ AccessKeyId: 'AKIAAAAAAAAAAAAAAAAA' }))
      assert.deepEqual([unknown.name, unknown.status], ['ValidationError', 400])
    })
  })
})
