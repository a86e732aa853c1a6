/** What docs/docker-login.md says, line by line. */
import assert from 'node:assert/strict'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { blocksOf, readPage } from '#test/support/documentation.ts'
import { needs, run } from '#test/support/run.ts'
import { startServer } from '#test/support/server.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

test('docs/docker-login.md works when followed to the letter', needs('skopeo'), async () => {
  await using folder = await temporaryFolder()
  // The page's own setting, from its block of YAML.
  await using server = await startServer({ environment: { LADING_ACCESS_KEY_LOGIN: 'on' } })
  const page = await readPage('docker-login.md', server)
  assert.match(blocksOf(page, 'yaml').join(''), /^accessKeyLogin: on$/m)
  const bin = join(folder.path, 'bin')
  await mkdir(bin)
  const program = async (name: string, line: string) => {
    await writeFile(join(bin, name), `#!/bin/sh\n${line}\n`)
    await chmod(join(bin, name), 0o700)
  }
  // `docker login` asks its engine to look, which need not run here. skopeo has the same flags.
  await program('docker', 'login=$1; shift; exec skopeo "$login" --tls-verify=false "$@"')
  // An aws that is older than AWS_ENDPOINT_URL takes it as an option.
  await program('aws', `PATH=${JSON.stringify(process.env.PATH)} exec aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"`)
  for (const block of blocksOf(page, 'sh')) {
    const output = await run('bash', ['-euo', 'pipefail', '-c', block], {
      cwd: folder.path,
      env: {
        AWS_ENDPOINT_URL: server.url,
        AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
        AWS_REGION: server.region,
        AWS_DEFAULT_REGION: server.region,
        HOME: folder.path,
        REGISTRY_AUTH_FILE: join(folder.path, 'auth.json'),
        PATH: `${bin}${delimiter}${process.env.PATH}`,
      },
    })
    assert.match(output, /Login Succeeded/, block)
  }
})
