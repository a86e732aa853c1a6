/** No value of a secret is anywhere but in the answer of GetSecretValue: not in the log, the audit trail, the database or a backup. */
import assert from 'node:assert/strict'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { CloudTrail } from '@aws-sdk/client-cloudtrail'
import { ECR } from '@aws-sdk/client-ecr'
import { SecretsManager } from '@aws-sdk/client-secrets-manager'
import { openMetadata } from '#metadata/open.ts'
import { commandsOver } from '#test/support/command.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { refusalOf } from '#test/support/ecr-session.ts'
import { startSecretsSession } from '#test/support/secrets-session.ts'
import { startServeProcess } from '#test/support/serve-process.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { until } from '#test/support/until.ts'

const known = 'known-text-of-a-secret'
/** How the text may be written: plainly, and at each of three places in base64. */
const written = [
  known,
  ...['', 'x', 'xy'].map((before) =>
    Buffer.from(before + known)
      .toString('base64')
      .slice(4, 24),
  ),
]
const accessKeyId = 'AKIATESTTESTTESTTEST'
const secretAccessKey = 'test-secret-test-secret-test-secret-test'

test('values are in no log, no audit record, no database and no backup', async () => {
  await using folder = await temporaryFolder()
  const data = join(folder.path, 'data')
  await mkdir(data)
  await using server = startServeProcess([
    ...['--listen', '127.0.0.1:0', '--data-dir', data, '--log', 'trace'],
    ...['--root-access-key-id', accessKeyId, '--root-secret-access-key', secretAccessKey],
  ])
  const endpoint = await server.url()
  const options = { endpoint, region: 'us-east-1', credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1 }
  const [secrets, ecr, trail] = [new SecretsManager(options), new ECR(options), new CloudTrail(options)]
  try {
    const Name = 'ecr-pullthroughcache/known'
    const SecretString = JSON.stringify({ username: 'user', accessToken: known })
    const { ARN: credentialArn } = await secrets.createSecret({ Name, SecretString })
    await secrets.putSecretValue({ SecretId: Name, SecretBinary: Buffer.from(known) })
    await secrets.updateSecret({ SecretId: Name, SecretString })
    const read = await secrets.getSecretValue({ SecretId: Name })
    assert.equal(read.SecretString, SecretString)
    await refusalOf(secrets.createSecret({ Name, SecretString }))
    await refusalOf(secrets.createSecret({ Name: known.slice(0, 5), SecretString }))
    await refusalOf(secrets.putSecretValue({ SecretId: Name, SecretString, SecretBinary: Buffer.from(known) }))
    await refusalOf(secrets.putSecretValue({ SecretId: Name, SecretString: known.repeat(4_000) }))
    await refusalOf(secrets.putSecretValue({ SecretId: 'other', SecretString }))
    const rule = { ecrRepositoryPrefix: 'hub', upstreamRegistryUrl: 'registry-1.docker.io', credentialArn }
    await ecr.createPullThroughCacheRule(rule)

    const events = await untilAudited(trail)
    const seen = new Set(events.map(({ EventName }) => EventName))
    assert.ok(seen.isSupersetOf(new Set(['CreateSecret', 'PutSecretValue', 'UpdateSecret', 'GetSecretValue'])))
    const created = events.filter(({ EventName }) => EventName === 'CreateSecret').at(-1)
    const record = JSON.parse(created?.CloudTrailEvent ?? '')
    assert.equal(record.eventSource, 'secretsmanager.amazonaws.com')
    assert.equal(record.requestParameters.secretString, 'HIDDEN_DUE_TO_SECURITY_REASONS')
    assert.equal(record.requestParameters.name, Name)
    assert.equal(record.responseElements.aRN, credentialArn)
    assertAbsent('the audit trail', JSON.stringify(events))
  } finally {
    for (const client of [secrets, ecr, trail]) client.destroy()
  }
  const lading = commandsOver({ LADING_DATA_DIR: data })
  await lading.run('backup', join(folder.path, 'backup'))
  for (const { path, text } of await filesBelow(folder.path)) assertAbsent(path, text)
  server.signal('SIGTERM')
  await server.exit
  assert.match(server.errors(), /CreateSecret/)
  assertAbsent('the log', server.errors())
})

eachDatabaseInCi(({ dialect, url }) =>
  describe(`sealed values (${dialect})`, () => {
    test('a value that was altered in the database does not open, for callers and for rules', async () => {
      const database = await url()
      await using session = await startSecretsSession({ database })
      const { secrets, ecr } = session
      const { ARN = '' } = await secrets.createSecret({ Name: session.name(), SecretString: known })
      const metadata = await openMetadata(database, () => {})
      await metadata.transaction((trx) => trx.updateTable('secret_version').set({ sealed: 'v1.altered' }).execute())
      await metadata.close()
      assert.deepEqual(await refusalOf(secrets.getSecretValue({ SecretId: ARN })), {
        name: 'DecryptionFailure',
        message: "Secrets Manager can't decrypt the protected secret text using the provided KMS key.",
        status: 400,
      })
      const rule = { ecrRepositoryPrefix: 'hub', upstreamRegistryUrl: 'registry-1.docker.io', credentialArn: ARN }
      assert.equal((await refusalOf(ecr.createPullThroughCacheRule(rule))).name, 'UnableToDecryptSecretValueException')
    })
  }),
)

async function untilAudited(trail: CloudTrail) {
  const LookupAttributes = [{ AttributeKey: 'EventSource' as const, AttributeValue: 'secretsmanager.amazonaws.com' }]
  const look = async () => (await trail.lookupEvents({ LookupAttributes })).Events ?? []
  await until(async () => (await look()).length >= 9)
  return look()
}

function assertAbsent(where: string, text: string): void {
  for (const one of written) assert.ok(!text.includes(one), `${where} holds ${one}`)
}

async function filesBelow(folder: string) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  for (const name of ['lading.db', 'secret_version.jsonl']) {
    assert.ok(
      files.some((path) => path.endsWith(name)),
      `${name} is not among them`,
    )
  }
  return Promise.all(files.map(async (path) => ({ path, text: await readFile(path, 'latin1') })))
}
