/** Versions of secrets and their staging labels, by the AWS SDK. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { eachDatabase } from '#test/support/databases.ts'
import { answerOf, refusalOf } from '#test/support/ecr-session.ts'
import { type SecretsSession, startSecretsSession } from '#test/support/secrets-session.ts'

const refusal = (name: string, message: string) => ({ name, message, status: 400 })
const missing = (what: string) =>
  refusal('ResourceNotFoundException', `Secrets Manager can't find the specified secret value for ${what}`)

eachDatabase(({ dialect, url }) => {
  describe(`versions of secrets by the SDK (${dialect})`, () => {
    let session: SecretsSession
    before(async () => {
      session = await startSecretsSession({ database: await url() })
    })
    after(() => session[Symbol.asyncDispose]())

    const create = async (SecretString?: string) => {
      const {
        Name: SecretId = '',
        ARN = '',
        VersionId,
      } = await session.secrets.createSecret({
        ...{ Name: session.name(), SecretString },
      })
      return { SecretId, ARN, VersionId }
    }
    const labels = async (SecretId: string) => (await session.secrets.describeSecret({ SecretId })).VersionIdsToStages

    test('a new value is AWSCURRENT, the one before it AWSPREVIOUS, and those before have no label', async () => {
      const { secrets } = session
      const { SecretId, VersionId: first = '' } = await create('1')
      const { VersionId: second = '', ...put } = await answerOf(secrets.putSecretValue({ SecretId, SecretString: '2' }))
      assert.deepEqual(put.VersionStages, ['AWSCURRENT'])
      const { VersionId: third = '' } = await secrets.updateSecret({ SecretId, SecretString: '3' })
      assert.deepEqual(await labels(SecretId), { [second]: ['AWSPREVIOUS'], [third]: ['AWSCURRENT'] })
      const read = async (which: { VersionId?: string; VersionStage?: string }) =>
        (await secrets.getSecretValue({ SecretId, ...which })).SecretString
      assert.equal(await read({}), '3')
      assert.equal(await read({ VersionStage: 'AWSPREVIOUS' }), '2')
      assert.equal(await read({ VersionId: first }), '1')
      assert.equal(await read({ VersionId: third, VersionStage: 'AWSCURRENT' }), '3')
      assert.deepEqual(
        await refusalOf(read({ VersionId: first, VersionStage: 'AWSCURRENT' })),
        refusal(
          'InvalidRequestException',
          'You provided a VersionStage that is not associated to the provided VersionId.',
        ),
      )
      const other = randomUUID()
      assert.deepEqual(await refusalOf(read({ VersionId: other })), missing(`VersionId: ${other}`))
      assert.deepEqual(await refusalOf(read({ VersionStage: 'AWSPENDING' })), missing('staging label: AWSPENDING'))

      const list = async (IncludeDeprecated: boolean) => {
        const { Versions = [] } = await secrets.listSecretVersionIds({ SecretId, IncludeDeprecated })
        return new Map(Versions.map((version) => [version.VersionId, version.VersionStages]))
      }
      assert.deepEqual(new Set((await list(false)).keys()), new Set([second, third]))
      const all = await list(true)
      assert.deepEqual([all.size, all.get(first), all.get(second)], [3, undefined, ['AWSPREVIOUS']])
    })

    test('a secret without a value has no version, and its first one is AWSCURRENT beside the labels that it gets', async () => {
      const { secrets } = session
      const { SecretId, VersionId } = await create()
      assert.equal(VersionId, undefined)
      assert.deepEqual(await refusalOf(secrets.getSecretValue({ SecretId })), missing('staging label: AWSCURRENT'))
      assert.equal(await labels(SecretId), undefined)
      const input = { SecretId, SecretBinary: Uint8Array.from([0, 255, 1]), VersionStages: ['TESTED'] }
      const { VersionId: first = '', VersionStages } = await secrets.putSecretValue(input)
      assert.deepEqual(VersionStages, ['AWSCURRENT', 'TESTED'])
      const { SecretBinary, SecretString } = await secrets.getSecretValue({ SecretId, VersionId: first })
      assert.deepEqual([SecretBinary, SecretString], [Uint8Array.from([0, 255, 1]), undefined])
    })

    test('a token that is sent again is answered as before, and refused with another value', async () => {
      const { secrets } = session
      const [Name, ClientRequestToken] = [session.name(), randomUUID()]
      const created = await answerOf(secrets.createSecret({ Name, ClientRequestToken, SecretString: '1' }))
      assert.equal(created.VersionId, ClientRequestToken)
      assert.deepEqual(await answerOf(secrets.createSecret({ Name, ClientRequestToken, SecretString: '1' })), created)
      const taken = refusal(
        'ResourceExistsException',
        `You can't use ClientRequestToken ${ClientRequestToken} because that value is already in use for a version of secret ${created.ARN}.`,
      )
      const exists = refusal(
        'ResourceExistsException',
        `The operation failed because the secret ${Name} already exists.`,
      )
      assert.deepEqual(await refusalOf(secrets.createSecret({ Name, ClientRequestToken, SecretString: '2' })), taken)
      assert.deepEqual(await refusalOf(secrets.createSecret({ Name, SecretString: '1' })), exists)
      assert.deepEqual(await refusalOf(secrets.createSecret({ Name })), exists)

      const put = { SecretId: Name, ClientRequestToken: randomUUID(), SecretString: '2' }
      const first = await answerOf(secrets.putSecretValue(put))
      assert.deepEqual(await answerOf(secrets.putSecretValue(put)), first)
      assert.equal((await refusalOf(secrets.putSecretValue({ ...put, SecretString: '3' }))).name, taken.name)
      const bytes = { SecretString: undefined, SecretBinary: Buffer.from('2') }
      assert.equal((await refusalOf(secrets.putSecretValue({ ...put, ...bytes }))).name, taken.name)
      assert.equal((await secrets.listSecretVersionIds({ SecretId: Name })).Versions?.length, 2)
    })

    test('of calls that create one secret at the same time a single one succeeds', async () => {
      const Name = session.name()
      const calls = Array.from({ length: 8 }, (_, at) => session.secrets.createSecret({ Name, SecretString: `${at}` }))
      const ended = await Promise.allSettled(calls)
      assert.equal(ended.filter(({ status }) => status === 'fulfilled').length, 1)
      const { Versions = [] } = await session.secrets.listSecretVersionIds({ SecretId: Name, IncludeDeprecated: true })
      assert.equal(Versions.length, 1)
    })

    test('of values that are put at the same time one is AWSCURRENT and one AWSPREVIOUS', async () => {
      const { SecretId } = await create('0')
      const puts = Array.from({ length: 8 }, (_, at) =>
        session.secrets.putSecretValue({ SecretId, SecretString: `${at}` }),
      )
      await Promise.all(puts)
      assert.deepEqual(
        Object.values((await labels(SecretId)) ?? {})
          .flat()
          .sort(),
        ['AWSCURRENT', 'AWSPREVIOUS'],
      )
    })

    test('labels are moved, attached and removed, and AWSCURRENT is never without a version', async () => {
      const { secrets } = session
      const { SecretId, VersionId: first = '' } = await create('1')
      const { VersionId: second = '' } = await secrets.putSecretValue({
        ...{ SecretId, SecretString: '2', VersionStages: ['AWSPENDING'] },
      })
      const move = (VersionStage: string, RemoveFromVersionId?: string, MoveToVersionId?: string) =>
        secrets.updateSecretVersionStage({ SecretId, VersionStage, RemoveFromVersionId, MoveToVersionId })
      await move('AWSCURRENT', first, second)
      assert.deepEqual(await labels(SecretId), { [first]: ['AWSPREVIOUS'], [second]: ['AWSCURRENT', 'AWSPENDING'] })
      await move('AWSPENDING', second)
      await move('TESTED', undefined, first)
      assert.deepEqual(await labels(SecretId), { [first]: ['AWSPREVIOUS', 'TESTED'], [second]: ['AWSCURRENT'] })

      const invalid = (message: string) => refusal('InvalidParameterException', message)
      assert.deepEqual(
        await refusalOf(move('AWSCURRENT', second)),
        invalid(
          "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.",
        ),
      )
      assert.deepEqual(
        await refusalOf(move('TESTED', undefined, second)),
        invalid(
          `The parameter RemoveFromVersionId can't be empty. Staging label TESTED is currently attached to version ${first}, so you must explicitly reference that version in RemoveFromVersionId.`,
        ),
      )
      assert.deepEqual(
        await refusalOf(move('TESTED', second, first)),
        invalid(`The staging label TESTED isn't currently attached to version ${second}.`),
      )
      assert.equal((await refusalOf(move('TESTED'))).name, 'InvalidParameterException')
      const other = randomUUID()
      assert.deepEqual(await refusalOf(move('TESTED', first, other)), missing(`VersionId: ${other}`))
    })

    test('the oldest versions without a label are dropped beyond twenty', async () => {
      const { secrets } = session
      const { SecretId, VersionId: first = '' } = await create('0')
      await secrets.updateSecretVersionStage({ SecretId, VersionStage: 'KEPT', MoveToVersionId: first })
      for (let at = 1; at < 25; at++) await secrets.putSecretValue({ SecretId, SecretString: `${at}` })
      const { Versions = [] } = await secrets.listSecretVersionIds({ SecretId, IncludeDeprecated: true })
      assert.deepEqual([Versions.length, Versions.some(({ VersionId }) => VersionId === first)], [20, true])
      const paged: unknown[] = []
      let NextToken: string | undefined
      do {
        const page = await secrets.listSecretVersionIds({ SecretId, IncludeDeprecated: true, MaxResults: 7, NextToken })
        paged.push(...(page.Versions ?? []))
        NextToken = page.NextToken
      } while (NextToken !== undefined)
      assert.deepEqual(paged, Versions)
      assert.equal(
        (await refusalOf(secrets.listSecretVersionIds({ SecretId, NextToken: 'x' }))).name,
        'InvalidNextTokenException',
      )
    })

    test('a value has from 1 to 65536 bytes, and is a text or bytes', async () => {
      const { secrets } = session
      const put = async (value: { SecretString?: string; SecretBinary?: Uint8Array }) => {
        const { SecretId } = await create('0')
        await secrets.putSecretValue({ SecretId, ...value })
        return secrets.getSecretValue({ SecretId })
      }
      assert.equal((await put({ SecretString: '\\'.repeat(65_536) })).SecretString?.length, 65_536)
      assert.equal((await put({ SecretBinary: new Uint8Array(65_536) })).SecretBinary?.length, 65_536)
      const length = 'The secret value must have from 1 to 65536 bytes.'
      assert.deepEqual(
        await refusalOf(put({ SecretString: 'é'.repeat(32_769) })),
        refusal('InvalidParameterException', length),
      )
      const long = await refusalOf(put({ SecretString: 'known'.repeat(20_000) }))
      assert.equal(long.name, 'ValidationException')
      assert.ok(!long.message.includes('known'), long.message)
      assert.equal((await refusalOf(put({ SecretBinary: new Uint8Array(65_537) }))).name, 'ValidationException')
      assert.deepEqual(
        await refusalOf(put({})),
        refusal('InvalidParameterException', 'You must provide either SecretString or SecretBinary.'),
      )
      assert.deepEqual(
        await refusalOf(put({ SecretString: 'a', SecretBinary: Uint8Array.of(1) })),
        refusal(
          'InvalidParameterException',
          "You can't specify both a binary secret value and a string secret value in the same secret.",
        ),
      )
    })
  })
})
