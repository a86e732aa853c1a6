/** What docs/docker-login.md says, line by line. */
import assert from 'node:assert/strict'
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { credentialHelper } from '#test/support/credential-helper.ts'
import { blocksOf, readPage } from '#test/support/documentation.ts'
import { image } from '#test/support/images/build.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { pushImage } from '#test/support/push.ts'
import { needs, run } from '#test/support/run.ts'
import { startServer } from '#test/support/server.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { startWebIdentity } from '#test/support/web-identity.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

test('docs/docker-login.md works when followed to the letter', needs('skopeo'), async () => {
  await using folder = await temporaryFolder()
  // The page's own setting, from its block of YAML.
  await using server = await startServer({ environment: { LADING_ACCESS_KEY_LOGIN: 'on' } })
  await using oci = await openOciClient(server)
  await pushImage(oci.registry, await oci.createRepository('team/app'), image(), 'v1')
  const page = await readPage('docker-login.md', server)
  assert.match(blocksOf(page, 'yaml').join(''), /^accessKeyLogin: on$/m)
  const bin = join(folder.path, 'bin')
  await mkdir(bin)
  const program = async (name: string, line: string) => {
    await writeFile(join(bin, name), `#!/bin/sh\n${line}\n`)
    await chmod(join(bin, name), 0o700)
  }
  // docker itself needs an engine. skopeo has the same flags for a login, and reads the same file.
  await program(
    'docker',
    `case $1 in
      login) shift; exec skopeo login --tls-verify=false "$@" ;;
      pull) exec skopeo inspect --tls-verify=false "docker://$2" ;;
    esac`,
  )
  await program('lading', `exec "${process.execPath}" "${join(root, 'bin/lading.js')}" "$@"`)
  await symlink(credentialHelper, join(bin, 'docker-credential-lading'))
  // An aws that is older than AWS_ENDPOINT_URL takes it as an option.
  await program('aws', `PATH=${JSON.stringify(process.env.PATH)} exec aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"`)
  const logins = join(folder.path, 'auth.json')
  const shell = (block: string) =>
    run('bash', ['-euo', 'pipefail', '-c', block], {
      cwd: folder.path,
      env: {
        AWS_ENDPOINT_URL: server.url,
        AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
        AWS_REGION: server.region,
        AWS_DEFAULT_REGION: server.region,
        HOME: folder.path,
        REGISTRY_AUTH_FILE: logins,
        PATH: `${bin}${delimiter}${process.env.PATH}`,
      },
    })
  const [passwords = '', pull = '', key = ''] = blocksOf(page, 'sh')
  assert.match(await shell(passwords), /Login Succeeded!\nLogin Succeeded!\n$/)
  await writeFile(logins, blocksOf(page, 'json').join(''))
  assert.match(await shell(pull), /"Digest": "sha256:/)
  await writeFile(logins, '{}')
  assert.match(await shell(key), /Login Succeeded/)
})

for (const [client, words] of [
  ['skopeo', (name: string) => ['inspect', '--raw', '--tls-verify=false', `docker://${name}`]],
  ['crane', (name: string) => ['manifest', '--insecure', name]],
  ['oras', (name: string) => ['manifest', 'fetch', '--plain-http', name]],
] as const) {
  test(
    `${client} pulls by docker-credential-lading, with a key or with the token of a job`,
    needs(client),
    async () => {
      await using folder = await temporaryFolder()
      await using server = await startServer()
      await using identity = await startWebIdentity(server)
      await using oci = await openOciClient(server)
      const pushed = image()
      await pushImage(oci.registry, await oci.createRepository('team/app'), pushed, 'v1')
      await symlink(credentialHelper, join(folder.path, 'docker-credential-lading'))
      const logins = join(folder.path, 'config.json')
      await writeFile(logins, JSON.stringify({ credHelpers: { [server.host]: 'lading' } }))
      const { accessKeyId, secretAccessKey } = server.credentials
      for (const credentials of [
        { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
        { AWS_ACCESS_KEY_ID: '', ...(await identity.environment(folder.path)) },
      ]) {
        const env = {
          ...{ AWS_ENDPOINT_URL: server.url, AWS_REGION: server.region, ...credentials },
          ...{ HOME: folder.path, DOCKER_CONFIG: folder.path, REGISTRY_AUTH_FILE: logins },
          PATH: `${folder.path}${delimiter}${process.env.PATH}`,
        }
        const manifest = await run(client, words(`${server.host}/team/app:v1`), { env })
        assert.equal(manifest.trimEnd(), pushed.bytes.toString())
      }
    },
  )
}
