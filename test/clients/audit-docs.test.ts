/** The lines of docs/access.md and docs/audit.md, run as they stand. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ECR } from '@aws-sdk/client-ecr'
import { needs, run } from '#test/support/run.ts'
import { startServer } from '#test/support/server.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

async function blocksOf(page: string): Promise<string[]> {
  const text = await readFile(new URL(`../../docs/${page}`, import.meta.url), 'utf8')
  return [...text.matchAll(/```sh\n(.*?)```/gs)].map(([, block = '']) => block)
}

test('docs/access.md and docs/audit.md work when followed to the letter', needs('aws', 'curl'), async () => {
  await using server = await startServer()
  await using home = await temporaryFolder()
  const ecr = new ECR({ endpoint: server.url, region: server.region, credentials: server.credentials })
  await ecr.createRepository({ repositoryName: 'team/app' })
  ecr.destroy()
  const env = {
    ...server.environment,
    HOME: home.path,
    AWS_PAGER: '',
    AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    AWS_DEFAULT_REGION: server.region,
  }
  // An aws that is older than AWS_ENDPOINT_URL takes it as an option.
  const preamble = `lading() { '${process.execPath}' bin/lading.js "$@"; }
aws() { command aws --endpoint-url '${server.url}' "$@"; }`
  const shell = (block: string) =>
    run('bash', ['-euo', 'pipefail', '-c', `${preamble}\n${block.replaceAll('http://127.0.0.1:5100', server.url)}`], {
      cwd: root,
      env,
    })

  const [asking = '', askingByHttp = ''] = await blocksOf('access.md')
  const asked = await shell(asking)
  const byHttp = await shell(askingByHttp)
  assert.match(asked, /no identity-based policy allows ecr:PutImage/)
  const { explanation } = JSON.parse(byHttp) as { explanation: { allowed: boolean } }
  assert.equal(explanation.allowed, true)

  const [created = '', ofRepository = ''] = await blocksOf('audit.md')
  while (!(await shell(created)).includes('team/app')) await setTimeout(100)
  assert.match(await shell(ofRepository), /root\s+CreateRepository/)
})
