/** `lading lifecycle preview`: what people and scripts are told of what a policy would do. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { ECR } from '@aws-sdk/client-ecr'
import { commandsOver } from '#test/support/command.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { pushImageTo } from '#test/support/ecr-push.ts'
import { image, layer } from '#test/support/images/build.ts'
import { run } from '#test/support/run.ts'
import { startServer } from '#test/support/server.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const root = new URL('../../..', import.meta.url).pathname
const repositoryName = 'team/app'

eachDatabaseInCi(({ dialect, url }) => {
  test(`the lines of docs/retention.md that ask what a policy would do print what they say (${dialect})`, async (t) => {
    await using server = await startServer({ database: await url() })
    await using folder = await temporaryFolder()
    const ecr = new ECR({ endpoint: server.url, region: server.region, credentials: server.credentials })
    t.after(() => ecr.destroy())
    await ecr.createRepository({ repositoryName })
    for (const tag of ['v1', 'v2', 'v3']) {
      const layers = [layer({ shared: 'shared' }), layer({ own: tag })]
      await pushImageTo(ecr, repositoryName, image({ layers }), tag)
    }
    const keepAll = JSON.stringify({
      rules: [
        {
          rulePriority: 1,
          selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 3 },
          action: { type: 'expire' },
        },
      ],
    })
    const environment = {
      ...server.environment,
      AWS_ENDPOINT_URL: server.url,
      AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
      AWS_REGION: server.region,
    }
    const lading = commandsOver(environment)
    assert.match(await lading.refusal('lifecycle', 'preview', repositoryName), /has no lifecycle policy: give a draft/)
    await ecr.putLifecyclePolicy({ repositoryName, lifecyclePolicyText: keepAll })
    assert.equal(await lading.run('lifecycle', 'preview', repositoryName), 'Would change nothing: all 3 images stay.\n')

    const page = await readFile(`${root}docs/retention.md`, 'utf8')
    const section = page.slice(page.indexOf('\n## What a policy would do'))
    const [, block = ''] = /```sh\n(.*?)```/s.exec(section) ?? []
    const define = `lading() { '${process.execPath}' '${root}src/main.ts' "$@"; }\n`
    const shown = await run('bash', ['-euo', 'pipefail', '-c', define + block], { cwd: folder.path, env: environment })
    assert.match(
      shown,
      /^Would expire 1 image of 3, freeing [\d.]+ \S+ of their [\d.]+ \S+: the rest is shared with images that stay\.\n/,
    )
    assert.match(shown, /\nThey can be restored for 7 days, and are freed then\.\n/)
    assert.match(
      shown,
      /\nAgainst the policy in force: 1 more \(\+\), 0 fewer \(-\), 0 the same\.\n\nWould go:\nCHANGE {2}ACTION/,
    )
    assert.match(shown, /\n\+ +expire +v1 .* 3rd youngest of 'v\*', rule keeps 2 +sha256:[0-9a-f]{64}\n$/)

    const draft = `${folder.path}/draft.json`
    const options = ['--policy', draft, '--all', '--endpoint-url', server.url]
    const all = (await lading.json('lifecycle', 'preview', repositoryName, ...options)) as {
      summary: { expireCount: number; difference: object }
      images: { tags: string[]; verdict: string; goesUnder?: string }[]
    }
    assert.deepEqual(all.summary.difference, { draftCount: 1, inForceCount: 0, bothCount: 0 })
    assert.deepEqual(
      all.images.map(({ tags: [tag], verdict }) => `${tag} ${verdict}`).sort((a, b) => (a < b ? -1 : 1)),
      ['v1 EXPIRE', 'v2 KEEP', 'v3 KEEP'],
    )
    const refusal = await lading.refusal('lifecycle', 'preview', repositoryName, '--endpoint-url', 'http://127.0.0.1:1')
    assert.match(refusal, /^http:\/\/127\.0\.0\.1:1 gave no answer: /)
  })
})
