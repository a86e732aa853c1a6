/** docs/pull-through.md as it stands: the quick start, permissions, what a client sees when the upstream fails, and the texts of errors. */
import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startDockerEngine } from '#test/support/docker-engine.ts'
import { blocksOf, exportsOf, readPage } from '#test/support/documentation.ts'
import { refusalOf } from '#test/support/ecr-session.ts'
import { image, layer } from '#test/support/images/build.ts'
import type { Answer } from '#test/support/oci-client.ts'
import { needs } from '#test/support/run.ts'
import { startSession } from '#test/support/session.ts'
import { until } from '#test/support/until.ts'
import { createUpstreamSecret, openSecrets } from '#test/support/upstream-secret.ts'
import { type CacheSession, startCacheSession } from '#test/support/upstreams/cache-session.ts'
import { fill } from '#test/support/upstreams/fill.ts'
import { startHub } from '#test/support/upstreams/hub.ts'
import { startDistribution } from '#test/support/upstreams/registries.ts'

const upstreamUrl = 'registry-1.docker.io'
const prefix = 'docker-hub'
const latest = 'docker-hub/library/app/manifests/latest'

/** The text below a heading of the second rank. */
function sectionOf(page: string, heading: string): string {
  const [, text] = page.split(`\n## ${heading}\n`)
  assert.ok(text !== undefined, heading)
  return text.split('\n## ')[0] ?? ''
}

test('the quick start ends in pulls by docker', needs('aws', 'docker', 'dockerd', 'docker-registry'), async () => {
  const users = new Map([['my-docker-id', 'dckr_pat_example']])
  await using hub = await startHub({ users, privateRepositories: new Set(['library/alpine']) })
  hub.content.push('library/alpine', image({ layers: [layer({ 'etc/motd': 'alpine' })] }), '3')
  await using registry = await startDistribution('docker-registry')
  await fill(registry, 'team/app', image({ layers: [layer({ 'etc/motd': 'app' })] }), 'v1')
  const own = 'registry.example.com:5000'
  const upstreams = `${upstreamUrl}=${hub.url},${hub.cdnHost},${own}=${registry.url}`
  await using session = await startSession({ environment: { LADING_UPSTREAMS: upstreams } })
  const page = await readPage('pull-through.md', session)
  const start = sectionOf(page, 'Quick start')
  assert.deepEqual(exportsOf(start, 'LADING_'), { LADING_UPSTREAMS: own })
  const engineFolder = join(session.folder, 'engine')
  await mkdir(engineFolder)
  await using engine = await startDockerEngine(engineFolder)

  const blocks = blocksOf(start, 'sh').filter((block) => !block.includes('npm start'))
  const events = blocksOf(sectionOf(page, 'When the upstream fails'), 'sh')
  const check = /`(aws ecr validate-[^`]+)`/.exec(sectionOf(page, 'Troubleshooting'))?.[1] ?? ''
  const preamble = `export DOCKER_HOST='${engine.host}'
aws() { command aws --endpoint-url '${session.url}' "$@"; }`
  const shell = (script: string) =>
    session.run('bash', ['-euo', 'pipefail', '-c', `${preamble}\n${script}`], { cwd: session.folder })
  assert.match(await shell(`${blocks.join('')}\n${check}`), /"isValid": true/)
  assert.match(await shell('docker image ls'), /docker-hub\/library\/alpine +3 /)
  await until(async () => (await shell(events.join(''))).includes('docker-hub/library/alpine'))
})

test('a copy that could not be checked has the headers of the page', async () => {
  await using session = await startCacheSession({ prefix })
  session.hub.content.push('library/app', image(), 'latest')
  await session.get(latest)
  session.hub.behaviour.down = true
  session.pass(86_500_000)
  const { headers } = await session.get(latest)
  const page = await readPage('pull-through.md', session.server)
  const time = /\d{4}-\d\d-\d\dT[\d:.]+Z/
  const [, shown = ''] = /^ *Warning: (.*)$/m.exec(page) ?? []
  assert.equal(String(headers.warning).replace(time, ''), shown.replace(time, ''))
  assert.match(String(headers.age), /^865\d\d$/)
})

test('each text of "Troubleshooting" is one that a client sees', async () => {
  await using session = await startCacheSession({ prefix })
  const { hub, ecr, server } = session
  const page = await readPage('pull-through.md', server)
  const section = sectionOf(page, 'Troubleshooting')
  const rows = [...section.matchAll(/^\| `([^`]+)`/gm)].map(([, text = '']) => text)
  const seen = new Set<string>()
  const see = (text: string, upstream = upstreamUrl) => {
    const general = text
      .replaceAll(upstream, '<upstream>')
      .replaceAll('docker-hub/library/app', '<repository>')
      .replace('<repository>:absent', '<repository>:<tag>')
    const row = rows.find((each) => new RegExp(`^${patternOf(each)}$`).test(general))
    assert.ok(row, general)
    seen.add(row)
  }
  const pull = async (path = latest) => {
    see(messageOf(await session.get(path)))
    session.pass(60_000)
  }

  hub.content.push('library/app', image(), 'latest')
  hub.behaviour.privateRepositories.add('library/app')
  await pull()
  const credentialArn = await createUpstreamSecret(server, 'hub')
  await ecr.updatePullThroughCacheRule({ ecrRepositoryPrefix: prefix, credentialArn })
  await pull()
  using secrets = openSecrets(server)
  await secrets.client.putSecretValue({ SecretId: credentialArn, SecretString: '{}' })
  await pull()
  const SecretString = JSON.stringify({ username: 'hub', accessToken: 'secret' })
  await secrets.client.putSecretValue({ SecretId: credentialArn, SecretString })
  hub.behaviour.rateLimit = { limit: 1, used: 1, windowSeconds: 21_600, retryAfter: '3600' }
  await pull()
  hub.behaviour.rateLimit = undefined
  session.pass(3_600_000)
  const recover = hub.fail({ kind: 'manifests' }, { kind: 'status', status: 403 })
  await pull()
  recover()
  await pull('docker-hub/library/app/manifests/absent')
  hub.behaviour.down = true
  await pull()
  for (const upstreamRegistryUrl of ['other.example.com', 'ghcr.io']) {
    const rule = { ecrRepositoryPrefix: 'other', upstreamRegistryUrl }
    see((await refusalOf(ecr.createPullThroughCacheRule(rule))).message, upstreamRegistryUrl)
  }
  assert.deepEqual(seen, new Set(rows))
})

test('the text for a list of referrers that was never read does not say that the image is missing', async () => {
  await using session = await startCacheSession({ prefix })
  const app = image()
  session.hub.content.push('library/app', app, 'latest')
  assert.equal((await session.get(latest)).status, 200)
  session.hub.behaviour.down = true
  const answer = await session.get(`docker-hub/library/app/referrers/${app.digest}`)
  assert.equal(answer.status, 503)
  assert.match(messageOf(answer), /docker-hub\/library\/app does not have this content yet/)
})

test('each policy of "Permissions" lets its user pull what is not cached', async () => {
  await using session = await startCacheSession({ prefix })
  const { hub, ecr } = session
  for (const name of ['app', 'other']) hub.content.push(`library/${name}`, image({ seed: name }), 'latest')
  const section = sectionOf(await readPage('pull-through.md', session.server), 'Permissions')
  const [identity = '', registry = ''] = blocksOf(section, 'json')
  const mayPull = (await startUser(session, 'whole', identity)).get
  assert.equal((await mayPull(latest)).status, 200)

  const actions = ['ecr:GetAuthorizationToken', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer']
  const puller = await startUser(session, 'puller', JSON.stringify({ Version, Statement: [allow(actions)] }))
  const other = 'docker-hub/library/other/manifests/latest'
  assert.equal((await puller.get(other)).status, 404)
  await ecr.putRegistryPolicy({ policyText: registry })
  assert.equal((await puller.get(other)).status, 200)
})

const Version = '2012-10-17'
const allow = (Action: readonly string[]) => ({ Effect: 'Allow', Action, Resource: '*' })

/** A user with a policy that the page has as text. */
function startUser(session: CacheSession, name: string, policy: string) {
  const document: unknown = JSON.parse(policy)
  assert.ok(typeof document === 'object' && document !== null)
  return session.user(name, document)
}

function messageOf({ body }: Answer): string {
  // An error of the distribution API.
  const { errors } = JSON.parse(body.toString()) as { errors: { message: string }[] }
  return errors[0]?.message ?? ''
}

/** `<why>` stands for any reason. */
function patternOf(text: string): string {
  return text.split('<why>').map(RegExp.escape).join('.+')
}
