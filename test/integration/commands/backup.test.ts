import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { ECR } from '@aws-sdk/client-ecr'
import { sql } from 'kysely'
import { openBackupTarget } from '#backup/open.ts'
import { openMetadata } from '#metadata/open.ts'
import { type Commands, commandsOver } from '#test/support/command.ts'
import { postgresUrl, sqliteUrl } from '#test/support/databases.ts'
import { type Image, image, index } from '#test/support/images/build.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { pullWhole, pushImage, type Registry } from '#test/support/push.ts'
import { type RunningServer, startServer } from '#test/support/server.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { until } from '#test/support/until.ts'

const urls = { sqlite: sqliteUrl, postgres: postgresUrl }

/** A deployment that nobody has used: settings by which `restore` fills it and `startServer` serves it. */
async function emptyDeployment(folder: string, dialect: keyof typeof urls, server: RunningServer) {
  const environment = { ...server.environment, LADING_DATA_DIR: folder, LADING_DATABASE: await urls[dialect]() }
  return { environment, lading: commandsOver(environment) }
}

/** Pushes by four until it is told to end; tells what had been acknowledged at any time. */
function startPushers(registry: Registry, repository: string) {
  const acknowledged = new Map<string, string>()
  let ended = false
  const pushers = Array.from({ length: 4 }, async (_, pusher) => {
    for (let count = 0; !ended; count++) {
      const tag = `p${pusher}-${count}`
      const one = image({ layers: [20_000, 300], seed: tag })
      const pushed: Image = count % 3 === 0 ? index({ children: [one] }) : one
      await pushImage(registry, repository, pushed, tag)
      acknowledged.set(tag, pushed.digest)
    }
  })
  return {
    acknowledged: () => new Map(acknowledged),
    async some(count: number) {
      await until(() => acknowledged.size >= count)
    },
    async end() {
      ended = true
      await Promise.all(pushers)
    },
  }
}

async function listedImages(lading: Commands, repository: string) {
  const { images } = (await lading.json('image', 'list', repository)) as {
    images: { digest: string; tags: string[] }[]
  }
  return images
}

/** The file with the rows of that table, of which there are few. */
async function databaseFile(backup: string, table: string): Promise<string> {
  const [run = ''] = await readdir(join(backup, 'database'))
  const files = await readdir(join(backup, 'database', run))
  return join(backup, 'database', run, files.find((name) => /^\d+-(.*)\.jsonl$/.exec(name)?.[1] === table) ?? '')
}

/** The file of the blob that a restore comes to last. */
async function lastBlob(backup: string): Promise<string> {
  const rows = await readFile(await databaseFile(backup, 'blob'))
  const { digest } = JSON.parse(rows.toString().trimEnd().split('\n').at(-1) ?? '') as { digest: string }
  return join(backup, 'blobs/sha256', digest.slice(7, 9), digest.slice(9))
}

for (const [from, to, place] of [
  ['sqlite', 'sqlite', 'backup'],
  ['postgres', 'postgres', 'backup.tar'],
  ['sqlite', 'postgres', 'backup'],
] as const) {
  test(`a backup made while four push restores whole: ${from} to ${to} by ${place}`, async () => {
    await using server = await startServer({ database: await urls[from]() })
    await using folder = await temporaryFolder()
    const backup = join(folder.path, place)
    await using client = await openOciClient(server)
    const repository = await client.createRepository('team/app')
    const pushers = startPushers(client.registry, repository)
    await pushers.some(12)
    const before = pushers.acknowledged()
    const lading = commandsOver(server.environment)
    const made = (await lading.json('backup', backup)) as Record<string, unknown>
    await pushers.end()
    assert.ok(pushers.acknowledged().size > before.size, 'pushes went on meanwhile')
    assert.deepEqual([made.blobsMissing, made.secretKey], [[], false])

    const target = await emptyDeployment(join(folder.path, 'data'), to, server)
    const told = (await target.lading.json('restore', backup)) as Record<string, unknown>
    assert.deepEqual([told.images, told.blobs, told.secretKey], [made.images, made.blobs, 'in place'])
    await using restored = await startServer({ environment: target.environment })
    await using reader = await openOciClient(restored)
    for (const [tag, digest] of before) assert.equal(await pullWhole(reader.registry, repository, tag), digest)
    for (const { digest } of await listedImages(target.lading, repository)) {
      await pullWhole(reader.registry, repository, digest)
    }
    // Keys go on from those that were restored: at the first attempt.
    const ecr = new ECR({
      endpoint: restored.url,
      region: restored.region,
      credentials: restored.credentials,
      maxAttempts: 1,
    })
    await ecr.createRepository({ repositoryName: 'team/next' })
    ecr.destroy()
    await pushImage(reader.registry, 'team/next', image({ seed: 'next' }), 'v1')

    // Its store is its own, with another id than that of the store which was backed up.
    await target.lading.run('gc', 'run', '--sweep')
    const sweep = async () => (await target.lading.json('gc', 'status')) as Record<string, unknown>
    await until(async () => (await sweep()).lastSweep !== undefined)
    assert.equal((await sweep()).lastSweepFailed, undefined)
    const idIn = (dataDir: string) => readFile(join(dataDir, 'blobs', 'store-id'), 'utf8')
    assert.notEqual(await idIn(join(folder.path, 'data')), await idIn(server.dataDir))
  })
}

test('a later backup into the same folder copies only what is new, and takes the place of the earlier one', async () => {
  await using server = await startServer()
  await using folder = await temporaryFolder()
  const backup = join(folder.path, 'backup')
  await using client = await openOciClient(server)
  const repository = await client.createRepository('team/app')
  const lading = commandsOver(server.environment)
  const [first, second] = [image({ seed: 'first' }), image({ seed: 'second' })]
  await pushImage(client.registry, repository, first, 'first')
  const made = (await lading.json('backup', backup)) as { blobs: number; blobsCopied: number }
  assert.equal(made.blobsCopied, made.blobs)
  await pushImage(client.registry, repository, second, 'second')
  const again = (await lading.json('backup', backup)) as { blobs: number; blobsCopied: number }
  assert.equal(again.blobsCopied, again.blobs - made.blobs)
  assert.equal((await readdir(join(backup, 'database'))).length, 1)

  await writeFile(join(folder.path, 'mine'), '')
  assert.match(await lading.refusal('backup', folder.path), /holds "backup": expected an empty folder/)
  const archive = join(folder.path, 'backup.tar')
  assert.match(await lading.run('backup', archive), /keep the secret key of the settings apart/)
  assert.match(await lading.refusal('backup', archive), /holds "backup.tar"/)
})

test('what is no whole backup, or no empty place for it, is refused, and a restore cut short is made again', async () => {
  await using server = await startServer()
  await using folder = await temporaryFolder()
  const backup = join(folder.path, 'backup')
  await using client = await openOciClient(server)
  const repository = await client.createRepository('team/app')
  await pushImage(client.registry, repository, image({ seed: 'one' }), 'v1')
  const lading = commandsOver(server.environment)
  await lading.run('backup', backup)
  await lading.run('backup', `${backup}.tar`)
  assert.equal(
    await lading.refusal('restore', backup),
    'the database holds something already: expected one that nobody has used',
  )
  const target = await emptyDeployment(join(folder.path, 'data'), 'sqlite', server)
  const manifest = await readFile(join(backup, 'backup.json'), 'utf8')
  const refusedWith = async (text: string) => {
    await writeFile(join(backup, 'backup.json'), text)
    return target.lading.refusal('restore', backup)
  }
  assert.match(
    await refusedWith(manifest.replace('backup-1', 'backup-2')),
    /does not know its format "lading-backup-2"$/,
  )
  assert.match(
    await refusedWith(manifest.replace('0008-secret-check', '9999-later')),
    /does not know its schema "9999-later"$/,
  )
  assert.match(await refusedWith('{'), /damaged: backup.json/)
  assert.match(
    await refusedWith(manifest.replace(/"tag": 1/, '"tag": 2')),
    /damaged: the database in it is not what was/,
  )
  await writeFile(join(backup, 'backup.json'), manifest)
  const blobRows = await databaseFile(backup, 'blob')
  const rows = await readFile(blobRows)
  await writeFile(blobRows, 'null\n')
  assert.match(await target.lading.refusal('restore', backup), /^the backup is damaged: database\/.*-blob\.jsonl/)
  await writeFile(blobRows, rows)
  const manifestRows = await databaseFile(backup, 'manifest')
  await rename(manifestRows, `${manifestRows}.unfinished`)
  assert.match(await target.lading.refusal('restore', backup), /^the backup is damaged: the database in it/)
  await rename(`${manifestRows}.unfinished`, manifestRows)
  const otherKey = commandsOver({ ...target.environment, LADING_SECRET_KEY: Buffer.alloc(32, 9).toString('base64') })
  assert.match(await otherKey.refusal('restore', backup), /^the secret key at hand is not the one/)
  assert.equal(
    await filesBelow(join(folder.path, 'data', 'blobs')),
    0,
    'nothing is copied of a backup that does not fit',
  )
  await rm(join(backup, 'backup.json'))
  assert.match(await target.lading.refusal('restore', backup), /is no complete backup: it has no backup.json$/)
  await writeFile(join(backup, 'backup.json'), manifest)

  // All blobs but one come, and no row: it is damaged by one byte.
  const fresh = await emptyDeployment(join(folder.path, 'fresh'), 'sqlite', server)
  const path = await lastBlob(backup)
  const blob = await readFile(path)
  await writeFile(path, Buffer.from(blob).fill(0, 0, 1))
  assert.match(await fresh.lading.refusal('restore', backup), /^the backup is damaged: blobs\/sha256\//)
  assert.match(await fresh.lading.refusal('user', 'list'), /nobody has used it yet/)
  await writeFile(path, blob)
  const done = (await fresh.lading.json('restore', backup)) as { blobs: number; blobsCopied: number }
  assert.ok(done.blobsCopied < done.blobs, 'it goes on with the blobs that had come')

  const { size } = await stat(`${backup}.tar`)
  await truncate(`${backup}.tar`, size - 2_048)
  const other = await emptyDeployment(join(folder.path, 'other'), 'sqlite', server)
  assert.match(await other.lading.refusal('restore', `${backup}.tar`), /is no complete backup: it does not end with/)
})

/** How many keep content from being collected. */
async function holds({ dataDir }: RunningServer): Promise<number> {
  const metadata = await openMetadata(`sqlite:${join(dataDir, 'lading.db')}`, assert.fail, 'current')
  try {
    const rows = await metadata.reader.selectFrom('collection_hold').select('expires_at').execute()
    return rows.filter((row) => row.expires_at > Date.now()).length
  } finally {
    await metadata.close()
  }
}

/** How many files lie anywhere below a folder, which need not be there yet. */
async function filesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isFile()).length
}

test('a backup and a restore that are killed leave nothing that passes for whole, and are made again', async () => {
  await using server = await startServer()
  await using folder = await temporaryFolder()
  const backup = join(folder.path, 'backup')
  await using client = await openOciClient(server)
  const repository = await client.createRepository('team/app')
  await pushImage(client.registry, repository, image({ layers: Array.from({ length: 100 }, () => 20_000) }), 'v1')
  const lading = commandsOver(server.environment)
  await lading.killed(['backup', backup], async () => (await filesBelow(join(backup, 'blobs'))) > 20)
  assert.equal(await holds(server), 1, 'what it copies is held, until some minutes after it died')
  const data = join(folder.path, 'data')
  const target = await emptyDeployment(data, 'sqlite', server)
  assert.match(await target.lading.refusal('restore', backup), /is no complete backup: it has no backup\.json$/)
  const made = (await lading.json('backup', backup)) as { blobs: number; blobsCopied: number }
  assert.ok(made.blobsCopied < made.blobs, 'a backup goes on with the blobs that had come')
  assert.equal(await holds(server), 1, 'one that ends holds nothing any more')

  await target.lading.killed(['restore', backup], async () => (await filesBelow(join(data, 'blobs/sha256'))) > 20)
  assert.match(await target.lading.refusal('repository', 'list'), /nobody has used it yet/)
  const done = (await target.lading.json('restore', backup)) as { blobs: number; blobsCopied: number }
  assert.ok(done.blobsCopied < done.blobs, 'a restore goes on with the blobs that had come')
  await using restored = await startServer({ environment: target.environment })
  await using reader = await openOciClient(restored)
  await pullWhole(reader.registry, repository, 'v1')
})

for (const place of ['backup', 'backup.tar']) {
  test(`blobs that the store has lost or damaged are named, and the rest is backed up to ${place}`, async () => {
    await using server = await startServer()
    await using folder = await temporaryFolder()
    await using client = await openOciClient(server)
    const repository = await client.createRepository('team/app')
    const [whole, hurt] = [image({ seed: 'whole' }), image({ seed: 'hurt', layers: [500, 600] })]
    await pushImage(client.registry, repository, whole, 'whole')
    await pushImage(client.registry, repository, hurt, 'hurt')
    const [lost, altered] = hurt.blobs.slice(1).map(({ digest }) => digest)
    const file = (digest = '') => join(server.dataDir, 'blobs/sha256', digest.slice(7, 9), digest.slice(7))
    await rm(file(lost))
    await writeFile(file(altered), (await readFile(file(altered))).fill(0, 0, 1))
    const made = (await commandsOver(server.environment).json('backup', join(folder.path, place))) as object
    assert.deepEqual(new Set((made as { blobsMissing: string[] }).blobsMissing), new Set([lost, altered]))
    const target = await emptyDeployment(join(folder.path, 'data'), 'sqlite', server)
    const done = (await target.lading.json('restore', join(folder.path, place))) as { blobsMissing: number }
    assert.equal(done.blobsMissing, 2)
    await using restored = await startServer({ environment: target.environment })
    await using reader = await openOciClient(restored)
    await pullWhole(reader.registry, repository, 'whole')
    assert.equal((await reader.call('GET', `/v2/${repository}/blobs/${altered}`)).status, 404)
  })
}

test('the key of the secrets is in a backup only if it was asked for, and then comes with it', async () => {
  // Empty: the key is that of the data folder.
  const own = { LADING_SECRET_KEY: '' }
  await using server = await startServer({ environment: own })
  await using folder = await temporaryFolder()
  const lading = commandsOver({ ...server.environment, ...own })
  const [without, withKey] = [join(folder.path, 'without'), join(folder.path, 'with.tar')]
  assert.match(await lading.run('backup', without), /keep secret\.key apart/)
  assert.match(await lading.run('backup', withKey, '--with-secret-key'), /guard it like one/)
  assert.equal((await stat(withKey)).mode & 0o077, 0)

  const bare = await emptyDeployment(join(folder.path, 'bare'), 'sqlite', server)
  const sealed = commandsOver({ ...bare.environment, ...own })
  assert.match(await sealed.run('restore', without), /put its secret\.key into the data folder/)
  assert.match(await sealed.refusal('token-keys', 'list'), /secret\.key is missing: put it there\)$/)
  assert.equal((await readdir(join(folder.path, 'bare'))).includes('secret.key'), false, 'nor is another made')

  const whole = await emptyDeployment(join(folder.path, 'whole'), 'sqlite', server)
  const environment = { ...whole.environment, ...own }
  const opening = commandsOver(environment)
  const other = commandsOver({ ...environment, LADING_SECRET_KEY: Buffer.alloc(32, 9).toString('base64') })
  assert.match(await other.refusal('restore', withKey), /^the secret key at hand is not the one/)
  assert.match(await other.refusal('restore', without), /^the secret key at hand is not the one/)
  assert.match(await opening.run('restore', withKey), /Its secret key is in the data folder/)
  await opening.run('token-keys', 'list')
  assert.equal((await stat(join(folder.path, 'whole', 'secret.key'))).mode & 0o077, 0)
})

test('one backup at a time goes into a folder, clears away what others left, and keeps no key that it was not given', async () => {
  await using server = await startServer({ environment: { LADING_SECRET_KEY: '' } })
  await using folder = await temporaryFolder()
  const backup = join(folder.path, 'backup')
  const lading = commandsOver({ ...server.environment, LADING_SECRET_KEY: '' })
  await lading.run('backup', backup, '--with-secret-key')
  const left = join(backup, 'blobs', 'sha256', 'ab.1234.unfinished')
  await mkdir(dirname(left), { recursive: true })
  await writeFile(left, '')
  await mkdir(join(backup, 'database', '99990101000000000-cut-short'))
  {
    await using _ = await openBackupTarget(backup)
    assert.match(await lading.refusal('backup', backup), /^another backup into .*backup is under way/)
  }
  await lading.run('backup', backup)
  assert.deepEqual((await readdir(backup)).sort(), ['backup.json', 'blobs', 'database', 'lock'])
  assert.deepEqual(await readdir(dirname(left)), [])
  assert.equal((await readdir(join(backup, 'database'))).length, 1)
})

test('a blob that could not be written leaves no part of it', async () => {
  await using folder = await temporaryFolder()
  await using target = await openBackupTarget(folder.path)
  const full = Object.assign(new Error('no space left'), { code: 'ENOSPC' })
  async function* chunks() {
    yield Buffer.alloc(1_000)
    throw full
  }
  await assert.rejects(
    target.writeBlob('blobs/sha256/ab/cd', 2_000, chunks(), () => true),
    full,
  )
  assert.deepEqual(await readdir(join(folder.path, 'blobs/sha256/ab')), [])
})

test('a database whose schema has no row yet is backed up', async () => {
  await using folder = await temporaryFolder()
  const url = await sqliteUrl()
  await (await openMetadata(url, assert.fail)).close()
  const lading = commandsOver({ LADING_DATABASE: url, LADING_DATA_DIR: folder.path })
  const made = (await lading.json('backup', join(folder.path, 'backup'))) as Record<string, unknown>
  assert.equal(made.images, 0)
})

test('a database that cannot be backed up is said by its setting, and nothing is made', async () => {
  await using folder = await temporaryFolder()
  const newer = await sqliteUrl()
  const metadata = await openMetadata(newer, assert.fail)
  await metadata.transaction((trx) => sql`insert into kysely_migration values ('9999-later', '')`.execute(trx))
  await metadata.close()
  const backup = join(folder.path, 'backup')
  const refusalOf = (url: string) =>
    commandsOver({ LADING_DATABASE: url, LADING_DATA_DIR: folder.path }).refusal('backup', backup)
  assert.match(await refusalOf(newer), /^LADING_DATABASE is .* newer version of Lading: .* 9999-later/)
  assert.match(
    await refusalOf('postgres://lading:hush@127.0.0.1:1/lading'),
    /^LADING_DATABASE is (?!.*hush).*ECONNREFUSED/,
  )
  assert.deepEqual(await readdir(folder.path), [])
})
