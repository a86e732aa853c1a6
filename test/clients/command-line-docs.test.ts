/** The lines of docs/command-line.md, read from there and run one after the other beside a server, as the reader would. */
import assert from 'node:assert/strict'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { commandTable } from '#commands/table.ts'
import { image } from '#test/support/images/build.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { pushImage } from '#test/support/push.ts'
import { run } from '#test/support/run.ts'
import { startServer } from '#test/support/server.ts'
import { backdateMoves } from '#test/support/tag-moves.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const readDocs = () => readFile(join(root, 'docs/command-line.md'), 'utf8')

test('the lines of docs/command-line.md work when followed to the letter', { timeout: 240_000 }, async () => {
  const blocks = [...(await readDocs()).matchAll(/```sh\n(.*?)```/gs)].map(([, block = '']) => block)
  await using server = await startServer()
  await using client = await openOciClient(server)
  await pushImage(client.registry, await client.createRepository('team/app'), image(), 'v1')
  await backdateMoves(server, image().digest, '2026-11-23T00:00:00Z')

  await using folder = await temporaryFolder()
  const program = join(folder.path, 'lading')
  await writeFile(program, `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'bin/lading.js')}" "$@"\n`)
  await chmod(program, 0o700)
  // The key that the reader has made by then.
  const theirs = `key() { lading key list --user alice --account 123456789012 --json | grep -o 'AKIA[A-Z0-9]*' | head -n 1; }\n`
  const script =
    theirs + blocks.join('').replaceAll('AKIAEXAMPLEEXAMPLE12', '"$key"').replaceAll('127.0.0.1:5100', server.host)
  const output = await run(
    'bash',
    ['-euo', 'pipefail', '-c', script.replace('lading key deactivate', 'key=$(key)\n$&')],
    {
      cwd: folder.path,
      env: {
        ...server.environment,
        AWS_ENDPOINT_URL: server.url,
        AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
        AWS_REGION: server.region,
        PATH: `${folder.path}${delimiter}${process.env.PATH}`,
      },
    },
  )
  assert.match(output, /secret access key {2}\S{40}\n/)
  assert.match(output, /\n\{"ServerURL":"127\.0\.0\.1:\d+","Username":"AWS","Secret":"\S+"\}\n/)
  assert.match(output, /"users": \[\n {4}"alice"\n/)
  assert.match(output, /"tags":\["v1"\]/)
  assert.match(output, /Would change nothing: the one image stays/)
  assert.match(output, /"reason":"the youngest of 'v\*', rule keeps 10"/)
  assert.match(output, /asked +true\n/)
  assert.match(output, /mib per second +8\nround +(?:waiting|running|done)\n/i)
  assert.match(output, /blobs copied +2\n.*blobs copied +2\n/s)
  assert.match(output, /The secret key in place opens its secrets/)
})

test('the examples of all helps are commands that there are', () => {
  for (const entry of commandTable) {
    const [prefix, commands] = 'run' in entry ? ['lading', [entry]] : [`lading ${entry.name}`, entry.commands]
    for (const { name, example } of commands) assert.ok(example.startsWith(`${prefix} ${name}`), example)
  }
})
