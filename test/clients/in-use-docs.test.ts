/** The lines of docs/retention.md on keeping what runs, run as they stand, with programs in place that say what runs. */
import assert from 'node:assert/strict'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { IAM } from '@aws-sdk/client-iam'
import { callAdmin } from '#test/support/admin.ts'
import { image } from '#test/support/images/build.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { pushImage } from '#test/support/push.ts'
import { run } from '#test/support/run.ts'
import { startServer } from '#test/support/server.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

test('docs/retention.md, "Keeping what runs", works when followed to the letter', async (t) => {
  const page = await readFile(join(root, 'docs/retention.md'), 'utf8')
  const [, section = ''] = /^## Keeping what runs$(.*?)^## /ms.exec(page) ?? []
  const blocksOf = (kind: string) =>
    [...section.matchAll(new RegExp(`\`\`\`${kind}\\n(.*?)\`\`\``, 'gs'))].map(([, block = '']) => block)
  await using server = await startServer()
  await using client = await openOciClient(server)
  const running = image({ seed: 'running' })
  const [batch, later] = [image({ seed: 'batch' }), image({ seed: 'later' })]
  await client.createRepository('team/app')
  for (const each of [running, batch, later]) await pushImage(client.registry, 'team/app', each)

  await using folder = await temporaryFolder()
  const name = `${server.host}/team/app`
  const pods = {
    kind: 'List',
    items: [
      {
        kind: 'Pod',
        spec: { containers: [{ name: 'app', image: `${name}:v1` }] },
        status: { containerStatuses: [{ name: 'app', image: `${name}:v1`, imageID: `${name}@${running.digest}` }] },
      },
      { kind: 'Pod', spec: { containers: [{ name: 'other', image: `docker.io/library/nginx@${running.digest}` }] } },
    ],
  }
  const tasks = ({ digest }: { digest: string }) =>
    JSON.stringify({ tasks: [{ containers: [{ image: `${name}:batch`, imageDigest: digest }] }], failures: [] })
  const program = async (file: string, lines: string) => {
    await writeFile(join(folder.path, file), `#!/bin/sh\n${lines}\n`)
    await chmod(join(folder.path, file), 0o700)
  }
  await program('lading', `exec "${process.execPath}" "${join(root, 'bin/lading.js')}" "$@"`)
  await program('kubectl', `cat <<'END'\n${JSON.stringify(pods)}\nEND`)
  // As ECS does: what lists tells all, page by page, and what describes takes a hundred.
  await program(
    'aws',
    `case $2 in
      list-tasks) seq 1 100 | paste -s; seq 101 150 | paste -s ;;
      describe-tasks)
        while [ "$1" != --tasks ]; do shift; done; shift
        [ $# -le 100 ] || exit 254
        [ "$1" = 1 ] && echo '${tasks(batch)}' || echo '${tasks(later)}' ;;
    esac`,
  )
  const shell = (block: string, credentials = server.credentials) =>
    run('bash', ['-euo', 'pipefail', '-c', block], {
      cwd: folder.path,
      env: {
        AWS_ENDPOINT_URL: server.url,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_REGION: server.region,
        HOME: folder.path,
        PATH: `${folder.path}${delimiter}${process.env.PATH}`,
      },
    })
  const [keeping = '', reporting = '', mirrored = ''] = blocksOf('sh')
  assert.match(await shell(keeping), /^keeps in use +true$/m)
  const reported = await shell(reporting)
  assert.match(reported, /^cluster +prod\nimages +1\n/)
  assert.match(reported, /^unknown images +0$/m)
  assert.match(reported, new RegExp(`^team/app +${batch.digest} +batch `, 'm'))
  for (const { digest } of [running, batch, later]) {
    assert.equal((await client.call('DELETE', `/v2/team/app/manifests/${digest}`)).status, 403)
  }
  // Only the mirror says that the second pod runs an image of this registry.
  const ofMirror = 'docker-hub/library/nginx'
  await client.createRepository(ofMirror)
  await pushImage(client.registry, ofMirror, running)
  await shell(`lading in-use keep ${ofMirror} on`)
  const deletion = `/v2/${ofMirror}/manifests/${running.digest}`
  const inMirror = await shell(mirrored)
  assert.match(inMirror, /^images +2$/m)
  assert.match(inMirror, /^unknown images +0$/m)
  assert.equal((await client.call('DELETE', deletion)).status, 403)
  const withoutMirror = await shell(mirrored.replace(/ --mirror \S+/, ''))
  assert.match(withoutMirror, /^images +1$/m)
  assert.equal((await client.call('DELETE', deletion)).status, 202)
  const swallowed = shell('touch pods.json; lading in-use report --cluster edge --mirror docker.io=hub/ pods.json')
  await assert.rejects(swallowed, /"pods\.json" is no mirror: .* a file comes before this option/)

  const refused = run('bash', ['-c', 'echo nginx:1 | lading in-use report --cluster prod'], {
    env: {
      AWS_ENDPOINT_URL: server.url,
      AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
      AWS_REGION: server.region,
      HOME: folder.path,
      PATH: `${folder.path}${delimiter}${process.env.PATH}`,
    },
  })
  await assert.rejects(
    refused,
    /nothing in the input is an image of this registry.*: 1 had no digest, such as "nginx:1"\./,
  )

  // The cron job's line, with the permission that the page gives it and no other.
  const iam = new IAM({ endpoint: server.url, region: server.region, credentials: server.credentials })
  t.after(() => iam.destroy())
  const UserName = 'reporter'
  await iam.createUser({ UserName })
  const [PolicyDocument = ''] = blocksOf('json')
  await iam.putUserPolicy({ UserName, PolicyName: 'report', PolicyDocument })
  const { AccessKey } = await iam.createAccessKey({ UserName })
  const credentials = {
    accessKeyId: AccessKey?.AccessKeyId ?? '',
    secretAccessKey: AccessKey?.SecretAccessKey ?? '',
  }
  const [, line = ''] = /args: \['(.*)'\]/.exec(blocksOf('yaml')[0] ?? '') ?? []
  assert.match(await shell(line, credentials), /^images +1$/m)
  assert.equal((await callAdmin(server, credentials, 'DeleteInUseReport', { cluster: 'batch' })).status, 400)
})
