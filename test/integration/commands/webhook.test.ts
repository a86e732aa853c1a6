/** `lading webhook`, by the lines of docs/webhooks.md, with the receivers that the page shows. */
import assert from 'node:assert/strict'
import { symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Commands, commandsOver } from '#test/support/command.ts'
import { blocksOf, exportsOf, readPage } from '#test/support/documentation.ts'
import { findProgram } from '#test/support/run.ts'
import { type ServeProcess, startProcess } from '#test/support/serve-process.ts'
import { type RunningServer, startServer } from '#test/support/server.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { until } from '#test/support/until.ts'
import { startReceiver } from '#test/support/webhooks/receiver.ts'

const environment = { LADING_WEBHOOK_HOSTS: '127.0.0.1' }

function ladingFor(server: RunningServer): Commands {
  return commandsOver({
    ...server.environment,
    AWS_ENDPOINT_URL: server.url,
    AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    AWS_REGION: server.region,
  })
}

function wordsOf(line: string): readonly string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare = '']) => quoted ?? bare)
}

test('each line of the page works', async () => {
  await using server = await startServer({ environment })
  await using receiver = await startReceiver()
  const lading = ladingFor(server)
  const page = (await readPage('webhooks.md', server)).replaceAll('https://ci.example.com', receiver.url)
  const lines = blocksOf(page, 'sh').flatMap((block) => block.trim().split('\n'))
  const commands = lines.filter((line) => line.startsWith('lading '))
  assert.ok(commands.length > 6)
  const [create = '', ...others] = commands
  const shown = await lading.run(...wordsOf(create).slice(1))
  const [, secret = assert.fail(shown)] = /^secret +(whsec_\S+)$/m.exec(shown) ?? []
  receiver.secrets = [secret]
  assert.match(shown, /Keep the secret now: it is not shown again/)
  for (const line of others) await lading.run(...wordsOf(line).slice(1))
  assert.deepEqual(
    receiver.received.map(({ event, verified }) => [event['detail-type'], verified]),
    [['Lading Webhook Test', true]],
  )
  await using second = await startServer({ environment: exportsOf(page, 'LADING_') })
  assert.ok(second.url)
})

test('people and scripts are shown webhooks, and what is wrong', async () => {
  await using server = await startServer({ environment })
  const lading = ladingFor(server)
  const url = 'https://hooks.invalid/a'
  const pattern = '{"source":["none"]}'
  const settings = ['--url', url, '--pattern', pattern, '--disabled', '--description', 'builds']
  const made = await lading.json('webhook', 'create', 'ci', ...settings)
  const { secret, createdAt, updatedAt, ...rest } = made as Record<string, unknown>
  assert.match(String(secret), /^whsec_/)
  assert.equal(createdAt, updatedAt)
  assert.deepEqual(rest, { webhook: 'ci', enabled: false, url, pattern, description: 'builds', waiting: 0, dead: 0 })
  assert.deepEqual(await lading.json('webhook', 'show', 'ci'), { ...rest, createdAt, updatedAt })
  assert.match(await lading.run('webhook', 'list'), /^WEBHOOK +ENABLED +URL .*\nci +false +https:/)
  assert.match(await lading.run('webhook', 'update', 'ci', '--enable'), /^enabled +true$/m)
  const rotated = (await lading.json('webhook', 'rotate-secret', 'ci')) as Record<string, unknown>
  assert.match(String(rotated.secret), /^whsec_/)
  assert.match(String(rotated.previousSecretExpiresAt), /Z$/)
  assert.deepEqual(await lading.json('webhook', 'deliveries', 'ci', '--state', 'waiting'), { deliveries: [] })
  assert.match(await lading.refusal('webhook', 'create', 'x'), /expected --url <url>/)
  assert.match(await lading.refusal('webhook', 'update', 'ci'), /nothing to change/)
  assert.match(await lading.refusal('webhook', 'redeliver', 'ci'), /either --event <id> or --all-dead/)
  assert.match(await lading.refusal('webhook', 'deliveries', 'ci', '--state', 'lost'), /waiting or --state dead/)
  assert.match(await lading.refusal('webhook', 'show', 'other'), /'other' does not exist/)
  assert.match(await lading.run('webhook', 'delete', 'ci'), /^deleted +true$/m)
})

const receivers = {
  js: { file: 'receiver.mjs', program: process.execPath },
  python: { file: 'receiver.py', program: findProgram('python3') },
} as const

for (const [language, { file, program }] of Object.entries(receivers)) {
  test(`the page's receiver in ${language} verifies what a webhook sends`, {
    skip: program === undefined,
  }, async () => {
    await using server = await startServer({ environment })
    await using folder = await temporaryFolder()
    const lading = ladingFor(server)
    const port = await freePort()
    const [source = assert.fail(language)] = blocksOf(await readPage('webhooks.md', server), language)
    await writeFile(join(folder.path, file), source.replace('8080', String(port)))
    await symlink(fileURLToPath(new URL('../../../node_modules', import.meta.url)), join(folder.path, 'node_modules'))
    const url = `http://127.0.0.1:${port}/`
    const { secret } = (await lading.json('webhook', 'create', 'ci', '--url', url)) as { secret: string }
    const command = ['env', `WEBHOOK_SECRET=${secret}`, program ?? '', join(folder.path, file)]
    await using receiver: ServeProcess = startProcess(command)
    await until(async () => (await post(url))?.status === 401)
    await lading.run('webhook', 'rotate-secret', 'ci')
    const tried = (await lading.json('webhook', 'test', 'ci')) as { delivered: boolean; status: number }
    assert.deepEqual([tried.delivered, tried.status], [true, 204])
    await receiver.says(/^Lading Webhook Test \{"webhook-name": ?"ci"\}$/m)
    const forged = { 'webhook-id': 'a', 'webhook-timestamp': '1', 'webhook-signature': 'v1,AAAA' }
    assert.equal((await post(url, forged))?.status, 401)
  })
}

function post(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Response | undefined> {
  return fetch(url, { method: 'POST', body: '{}', headers }).catch(() => undefined)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}
