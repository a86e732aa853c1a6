/** The lines of docs/retention.md on tags that do not move, run as they stand, and what they promise. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { image } from '#test/support/images/build.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { pushImage, pushManifest } from '#test/support/push.ts'
import { needs, run } from '#test/support/run.ts'
import { startServer } from '#test/support/server.ts'

test('docs/retention.md, "Tags that do not move", works when followed to the letter', needs('aws'), async () => {
  const page = await readFile(new URL('../../docs/retention.md', import.meta.url), 'utf8')
  const [, section = ''] = /^## Tags that do not move$(.*?)^## /ms.exec(page) ?? []
  const [creating = '', changing = ''] = [...section.matchAll(/```sh\n(.*?)```/gs)].map(([, block = '']) => block)
  const [, refusal] = /`(The image tag .*?)`/.exec(section) ?? []
  await using server = await startServer()
  await using client = await openOciClient(server)
  const shell = (block: string) =>
    run('bash', ['-euo', 'pipefail', '-c', `aws() { command aws --endpoint-url '${server.url}' "$@"; }\n${block}`], {
      env: {
        AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
        AWS_DEFAULT_REGION: server.region,
        AWS_PAGER: '',
      },
    })
  const tested = image({ seed: 'tested' })
  const broken = image({ seed: 'broken' })
  const move = async (tag: string) => {
    const headers = { 'content-type': broken.mediaType }
    return client.call('PUT', `/v2/my-app/manifests/${tag}`, { headers, body: broken.bytes })
  }

  await shell(creating)
  await pushImage(client.registry, 'my-app', broken)
  for (const tag of ['production', 'latest', 'branch-a']) await pushImage(client.registry, 'my-app', tested, tag)

  assert.equal((await move('production')).message, refusal)
  assert.equal((await move('latest')).status, 201)
  assert.equal((await move('branch-a')).status, 201)
  await pushManifest(client.registry, 'my-app', tested, 'production')

  await shell(changing)
  const back = { headers: { 'content-type': tested.mediaType }, body: tested.bytes }
  assert.equal((await client.call('PUT', '/v2/my-app/manifests/latest', back)).status, 400)
})
