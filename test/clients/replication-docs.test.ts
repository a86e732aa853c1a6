/** The lines of docs/replication.md for a destination of the same deployment, run as they stand, and its files parsed. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { loadSettings } from '#config/load.ts'
import { blocksOf, readPage } from '#test/support/documentation.ts'
import { startEcrSession } from '#test/support/ecr-session.ts'
import { image } from '#test/support/images/build.ts'
import { readMetrics } from '#test/support/metrics.ts'
import { contentOf, replicateTo, settled } from '#test/support/replication.ts'
import { needs, run } from '#test/support/run.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

test('docs/replication.md works when followed to the letter', needs('aws'), async () => {
  await using session = await startEcrSession()
  const { server, ecr } = session
  await using home = await temporaryFolder()
  const before = image({ seed: 'before' })
  const repositoryName = await session.repository()
  await session.push(repositoryName, before, 'v1')

  const page = await readPage('replication.md', server)
  const preamble = `lading() { '${process.execPath}' '${root}/bin/lading.js' "$@"; }
aws() { command aws --endpoint-url '${server.url}' "$@"; }`
  const output = await run('bash', ['-euo', 'pipefail', '-c', `${preamble}\n${blocksOf(page, 'sh').join('')}`], {
    cwd: home.path,
    env: {
      ...{ ...server.environment, HOME: home.path, AWS_PAGER: '', AWS_ENDPOINT_URL: server.url },
      AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
      ...{ AWS_DEFAULT_REGION: server.region, AWS_REGION: server.region },
    },
  })
  assert.match(output, /\n1 +dry run +000000000000\/eu-west-1 +complete +1 +1 /)
  assert.match(output, /\n2 +sync +000000000000\/eu-west-1 +complete +1 +1 +0 +0 /)
  assert.match(output, /\n3 +verify +000000000000\/eu-west-1 +complete +1 /)
  assert.match(output, /\n000000000000\/eu-west-1 +0 +0 +0 +0s +1 /)
  const there = session.client({ region: 'eu-west-1' })
  assert.deepEqual(await contentOf(there, repositoryName), [`${before.digest} v1`])

  const [policy = ''] = blocksOf(page, 'json')
  await ecr.putRegistryPolicy({ policyText: policy.replaceAll('222222222222', server.account) })

  const files = blocksOf(page, 'yaml')
  const alerts = files.filter((text) => text.startsWith('groups:'))
  const { groups } = parse(alerts[0] ?? '') as { groups: { rules: { expr: string }[] }[] }
  const known = [...(await readMetrics(server)).keys()].map((series) => series.replace(/\{.*/, ''))
  const named = groups.flatMap(({ rules }) => rules.flatMap(({ expr }) => expr.match(/lading_\w+/g) ?? []))
  assert.equal(named.length, 2)
  for (const name of [...named, ...(page.match(/lading_replication_\w+/g) ?? [])]) assert.ok(known.includes(name), name)

  const peers = files.filter((text) => text.startsWith('peers:'))
  assert.equal(peers.length, 3)
  await writeFile(join(home.path, 'frankfurt.secret'), 'a-secret-of-frankfurt')
  await writeFile(join(home.path, 'mirror.password'), 'a-password-of-mirror')
  for (const text of peers) {
    const file = join(home.path, 'peers.yaml')
    await writeFile(file, text)
    const settings = loadSettings({ flags: {}, environment: { LADING_PEERS: file, LADING_DATA_DIR: home.path } })
    assert.equal(settings.peers.length, 1)
  }
})

test(
  'a rule sends to another Lading once its side and the file of peers are as the page has them',
  needs('aws'),
  async () => {
    await using far = await startEcrSession({ environment: { LADING_REGION: 'eu-central-1' } })
    await using home = await temporaryFolder()
    const page = await readPage('replication.md', far.server)
    const preamble = `lading() { '${process.execPath}' '${root}/bin/lading.js' "$@"; }
aws() { command aws --endpoint-url '${far.server.url}' "$@"; }`
    const script = blocksOf(page, 'bash').join('').replace('lading key create', 'lading key create --json')
    const output = await run('bash', ['-euo', 'pipefail', '-c', `${preamble}\n${script}`], {
      cwd: home.path,
      env: {
        ...{ ...far.server.environment, HOME: home.path, AWS_PAGER: '', AWS_DEFAULT_REGION: 'eu-central-1' },
        AWS_ACCESS_KEY_ID: far.server.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: far.server.credentials.secretAccessKey,
      },
    })
    const key = JSON.parse(output.slice(output.lastIndexOf('\n{') + 1)) as {
      accessKeyId: string
      secretAccessKey: string
    }
    await writeFile(join(home.path, 'frankfurt.secret'), key.secretAccessKey)
    const [example = ''] = blocksOf(page, 'yaml')
    const file = example
      .replace('https://registry.example.com', far.server.url)
      .replace('AKIAEXAMPLE', key.accessKeyId)
      .replace(/ +(hours|timeZone): .*\n/g, '')
    await writeFile(join(home.path, 'peers.yaml'), file)

    await using near = await startEcrSession({ environment: { LADING_PEERS: join(home.path, 'peers.yaml') } })
    await replicateTo(near.ecr, [{ region: 'eu-central-1', registryId: '000000000000' }])
    const app = image({ seed: 'app' })
    const repositoryName = await near.repository()
    await near.push(repositoryName, app, 'v1')
    assert.deepEqual(await settled(near.ecr, repositoryName, app.digest), ['000000000000/eu-central-1: COMPLETE'])
    assert.deepEqual(await contentOf(far.ecr, repositoryName), [`${app.digest} v1`])
  },
)
