/** The lines of docs/retention.md on what a tag was, run as they stand, and who the command line asks, as whom. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { commandsOver } from '#test/support/command.ts'
import { image } from '#test/support/images/build.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { pushImage } from '#test/support/push.ts'
import { run } from '#test/support/run.ts'
import { startServer } from '#test/support/server.ts'
import { backdateMoves } from '#test/support/tag-moves.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const good = image({ seed: 'good' })
const bad = image({ seed: 'bad' })

async function stage() {
  const server = await startServer()
  await using client = await openOciClient(server)
  await client.createRepository('my-app')
  for (const each of [good, bad]) await pushImage(client.registry, 'my-app', each, 'production')
  const environment = {
    AWS_ENDPOINT_URL: server.url,
    AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    AWS_REGION: server.region,
    TZ: 'Europe/Berlin',
  }
  return { server, environment }
}

test('docs/retention.md, "What a tag was, and putting it back", works when followed to the letter', async () => {
  const page = await readFile(join(root, 'docs/retention.md'), 'utf8')
  const [, section = ''] = /^## What a tag was, and putting it back$(.*?)^## /ms.exec(page) ?? []
  const [asking = '', puttingBack = ''] = [...section.matchAll(/```sh\n(.*?)```/gs)].map(([, block = '']) => block)
  const { server, environment } = await stage()
  await using _ = server
  await backdateMoves(server, good.digest, '2026-11-23T00:00:00Z')
  const shell = (block: string) =>
    run('bash', ['-euo', 'pipefail', '-c', `lading() { '${process.execPath}' bin/lading.js "$@"; }\n${block}`], {
      cwd: root,
      env: environment,
    })
  const asked = await shell(asking)
  assert.match(
    asked,
    new RegExp(`production  push .*:root  ${bad.digest}\\n.*production  push .*:root  ${good.digest}\\n`),
  )
  const told = 'At 2026-11-24 14:00:00 (Europe/Berlin, UTC+01:00) my-app:production pointed to '
  assert.ok(asked.includes(`${told}${good.digest}, which is there.`), asked)
  assert.match(asked, /\nat +2026-11-24T13:00:00\.000Z\n/)
  const back = await shell(puttingBack)
  assert.match(back, new RegExp(`from +${bad.digest}\\nto +${good.digest}\\n`))
})

test('a command asks whom, and as whom, flags, variables or a profile say, and tells what is missing', async () => {
  const { server, environment } = await stage()
  await using _ = server
  await using folder = await temporaryFolder()
  const config = join(folder.path, 'config')
  const credentials = join(folder.path, 'credentials')
  const { accessKeyId, secretAccessKey } = server.credentials
  await writeFile(config, `[profile ours]\nregion = ${server.region}\nendpoint_url = ${server.url}\n`)
  await writeFile(
    credentials,
    `[ours]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
  )
  const files = { AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: credentials }
  const show = ['tag', 'show', 'my-app', 'production']
  const byProfile = commandsOver(files)
  const { digest } = (await byProfile.json(...show, '--profile', 'ours')) as { digest: string }
  assert.equal(digest, bad.digest)
  // A profile that is named goes before a key that is no key, and the service's own endpoint before that of all.
  const wrong = { AWS_ACCESS_KEY_ID: 'AKIANOBODYNOBODYNOBO', AWS_SECRET_ACCESS_KEY: 'x' }
  await commandsOver({ ...files, ...wrong }).run(...show, '--profile', 'ours')
  const elsewhere = { ...environment, AWS_ENDPOINT_URL: 'http://127.0.0.1:1', AWS_ENDPOINT_URL_LADING: server.url }
  await commandsOver(elsewhere).run(...show)

  assert.match(await byProfile.refusal(...show), /^which server is not said: give --endpoint-url/)
  assert.match(await byProfile.refusal(...show, '--profile', 'theirs'), /^there is no profile "theirs"/)
  const endpoint = ['--endpoint-url', server.url]
  assert.match(await byProfile.refusal(...show, ...endpoint), /^no region is said/)
  assert.match(await byProfile.refusal(...show, ...endpoint, '--region', 'us-east-1'), /^there are no credentials/)
  const refused = commandsOver({ ...environment, ...wrong })
  assert.match(await refused.refusal(...show), /security token included in the request is invalid/)
  const asRoot = commandsOver(environment)
  assert.match(await asRoot.refusal('tag', 'show', 'nowhere', 'production'), /'nowhere' does not exist in the registry/)
  assert.match(
    await asRoot.refusal(...show, '--at', '2026-02-30 10:00'),
    /is no time: expected one as in .*Europe\/Berlin/,
  )
  assert.match(await asRoot.refusal(...show, '--at', '2026-03-29 02:30'), /is no time/)
  assert.match(await asRoot.refusal('tag', 'show', 'App:v1', 'v1'), /^"App:v1" is no name of a repository: expected /)
  assert.match(
    await asRoot.refusal('tag', 'rollback', 'my-app', 'production', '--to', 'v1'),
    /^"v1" is no digest: expected sha256:/,
  )
  const report = ['in-use', 'report', '/dev/null']
  assert.match(await asRoot.refusal(...report), /^which cluster is not said: give --cluster/)
  assert.match(
    await asRoot.refusal(...report, '--cluster', 'a', '--ttl', '1m'),
    /^"1m" is out of range: expected 5m to/,
  )
  assert.match(await asRoot.refusal(...show, '--at', '2100-01-01 14:00'), /The time 2100-01-01T13:00:00\.000Z is ahead/)
})
