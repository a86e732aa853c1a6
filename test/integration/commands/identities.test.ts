import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { ECR } from '@aws-sdk/client-ecr'
import { sql } from 'kysely'
import { openMetadata } from '#metadata/open.ts'
import { type Commands, commandsOver } from '#test/support/command.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { type Credentials, type RunningServer, startServer } from '#test/support/server.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

interface PrintedKey {
  accessKeyId: string
  secretAccessKey: string
}

/** How a call of ECR with that key ends: `undefined` if it is answered. */
async function refusalWith(server: RunningServer, credentials: Credentials): Promise<string | undefined> {
  const ecr = new ECR({ endpoint: server.url, region: server.region, credentials, maxAttempts: 1 })
  try {
    await ecr.describeRepositories({})
    return undefined
  } catch (error) {
    return error instanceof Error ? error.name : String(error)
  } finally {
    ecr.destroy()
  }
}

const readOnly = 'arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly'

eachDatabaseInCi(({ dialect, url }) => {
  async function start(): Promise<{ server: RunningServer; lading: Commands } & AsyncDisposable> {
    const server = await startServer({ database: await url() })
    const dispose = () => server.stop()
    return { server, lading: commandsOver(server.environment), [Symbol.asyncDispose]: dispose }
  }

  test(`a user made by commands signs in at once, may what its policies allow, and ends with its key (${dialect})`, async () => {
    await using started = await start()
    const { server, lading } = started
    await lading.run('user', 'create', 'alice')
    const key = (await lading.json('key', 'create', '--user', 'Alice')) as PrintedKey
    assert.equal(await refusalWith(server, key), 'AccessDeniedException')
    assert.deepEqual(await lading.json('user', 'attach-policy', 'alice', 'amazonEC2containerRegistryReadOnly'), {
      user: 'alice',
      policies: [readOnly],
      inlinePolicies: [],
    })
    assert.equal(await refusalWith(server, key), undefined)

    await lading.run('key', 'deactivate', key.accessKeyId, '--user', 'alice')
    assert.equal(await refusalWith(server, key), 'UnrecognizedClientException')
    await lading.run('key', 'activate', key.accessKeyId, '--user', 'alice')
    assert.equal(await refusalWith(server, key), undefined)
    await lading.run('user', 'detach-policy', 'alice', readOnly)
    assert.equal(await refusalWith(server, key), 'AccessDeniedException')

    assert.match(await lading.refusal('user', 'delete', 'alice'), /must delete access keys first/)
    await lading.run('key', 'delete', key.accessKeyId, '--user', 'alice')
    assert.equal(await refusalWith(server, key), 'UnrecognizedClientException')
    await lading.run('user', 'delete', 'alice')
    assert.deepEqual(await lading.json('user', 'list'), { users: [] })
  })

  test(`a group gives its members what it has (${dialect})`, async () => {
    await using started = await start()
    const { server, lading } = started
    await lading.run('user', 'create', 'bob')
    await lading.run('group', 'create', 'readers')
    await lading.run('group', 'attach-policy', 'readers', 'AmazonEC2ContainerRegistryReadOnly')
    const key = (await lading.json('key', 'create', '--user', 'bob')) as PrintedKey
    assert.deepEqual(await lading.json('group', 'add-user', 'readers', 'bob'), { user: 'bob', groups: ['readers'] })
    assert.equal(await refusalWith(server, key), undefined)
    const shown = (await lading.json('group', 'show', 'readers')) as { users: string[]; policies: string[] }
    assert.deepEqual([shown.users, shown.policies], [['bob'], [readOnly]])
    await lading.run('group', 'remove-user', 'readers', 'bob')
    assert.equal(await refusalWith(server, key), 'AccessDeniedException')
    await lading.run('group', 'detach-policy', 'readers', readOnly)
    await lading.run('group', 'delete', 'readers')
    assert.deepEqual(await lading.json('group', 'list'), { groups: [] })
  })

  test(`an account comes with a root key, whose rotation ends the old one (${dialect})`, async () => {
    await using started = await start()
    const { server, lading } = started
    const created = (await lading.json('account', 'create', '123456789012', '--name', 'production')) as PrintedKey
    assert.equal(await refusalWith(server, created), undefined)
    const listed = (await lading.json('account', 'list')) as { accounts: { account: string; name?: string }[] }
    assert.deepEqual(
      listed.accounts.map(({ account, name }) => [account, name]),
      [
        ['000000000000', undefined],
        ['123456789012', 'production'],
      ],
    )
    const told = await lading.json('account', 'root-key', '123456789012')
    assert.deepEqual(told, { account: '123456789012', accessKeyId: created.accessKeyId })
    const rotated = (await lading.json('account', 'root-key', '123456789012', '--rotate')) as PrintedKey
    assert.equal(await refusalWith(server, created), 'UnrecognizedClientException')
    assert.equal(await refusalWith(server, rotated), undefined)
    assert.match(await lading.refusal('account', 'create', '123456789012'), /^account 123456789012 exists already/)
  })

  test(`what is not there is refused with what is (${dialect})`, async () => {
    await using started = await start()
    const { lading } = started
    for (const name of ['alice', 'bob']) await lading.run('user', 'create', name)
    assert.equal(
      await lading.refusal('user', 'show', 'alcie'),
      'there is no user "alcie" in account 000000000000: there are alice, bob',
    )
    assert.equal(
      await lading.refusal('user', 'list', '--account', '123456789012'),
      'there is no account 123456789012: there is 000000000000',
    )
    assert.match(
      await lading.refusal('user', 'attach-policy', 'alice', 'ReadOnly'),
      /^there is no policy "ReadOnly" in account 000000000000: there are .*AmazonEC2ContainerRegistryReadOnly.* more$/,
    )
    assert.match(
      await lading.refusal('key', 'delete', 'AKIANONE', '--user', 'alice'),
      /^user alice has no such access key/,
    )
    assert.match(await lading.refusal('user', 'create', 'no blank'), /^"no blank" is no name of a user: expected/)
  })

  test(`a rotation of token keys keeps tokens, and with --revoke ends them (${dialect})`, async () => {
    await using started = await start()
    const { lading } = started
    await lading.run('token-keys', 'rotate')
    const rotated = (await lading.json('token-keys', 'rotate')) as { tokenKeys: { id: string; seals: boolean }[] }
    assert.deepEqual(
      rotated.tokenKeys.map(({ seals }) => seals),
      [false, true],
    )
    assert.deepEqual(await lading.json('token-keys', 'list'), rotated)
    const revoked = (await lading.json('token-keys', 'rotate', '--revoke')) as { tokenKeys: unknown[] }
    assert.equal(revoked.tokenKeys.length, 1)
  })
})

test('a command makes no database where there is none', async () => {
  await using folder = await temporaryFolder()
  const lading = commandsOver({ LADING_DATA_DIR: `${folder.path}/nowhere` })
  assert.match(await lading.refusal('user', 'list'), /there is none yet: the first lading serve makes it\)$/)
})

eachDatabaseInCi(({ dialect, emptyUrl }) => {
  test(`a command leaves the schema to servers, be there none yet or an older one: ${dialect}`, async () => {
    await using folder = await temporaryFolder()
    const database = await emptyUrl()
    if (dialect === 'sqlite') await writeFile(database.slice('sqlite:'.length), '')
    const lading = commandsOver({ LADING_DATA_DIR: folder.path, LADING_DATABASE: database })
    assert.match(
      await lading.refusal('user', 'list'),
      /nobody has used it yet: the first lading serve makes its tables/,
    )
    const metadata = await openMetadata(database, assert.fail)
    await metadata.transaction((trx) =>
      sql`delete from kysely_migration where name = (select max(name) from kysely_migration)`.execute(trx),
    )
    await metadata.close()
    const refusal = /its schema is an older version's: the start of lading serve of this version brings it up to date/
    assert.match(await lading.refusal('user', 'list'), refusal)
    assert.match(await lading.refusal('account', 'create', '123456789012'), refusal)
  })
})

test('what a command does not understand is refused in one line that shows no secret', async () => {
  const lading = commandsOver({})
  assert.match(
    await lading.refusal('user', 'create', 'alice', '--secret=hush'),
    /^--secret is no option of lading user create <user>: expected one of --json, (?!.*hush)/,
  )
  assert.match(await lading.refusal('user', 'create', 'alice', 'hush'), /expected lading user create <user>$/)
  assert.match(await lading.refusal('user', 'hush'), /^no such command: expected lading user and one of create, list/)
  assert.match(await lading.refusal('hush'), /^no such command: expected lading and one of serve, account/)
  assert.match(
    await lading.refusal('user', '--json', 'list'),
    /^--json stands too early: .* lading user <command> --json$/,
  )
  assert.match(await lading.refusal('--json', 'user', 'list'), /^--json stands too early: .* lading <command> --json$/)
})
