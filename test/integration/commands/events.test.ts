/** `lading events tail` prints what happens, as docs/events.md says. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { EventEnvelope } from '#events/event.ts'
import { type Commands, commandsOver } from '#test/support/command.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { blocksOf, readPage } from '#test/support/documentation.ts'
import { type EcrSession, startEcrSession } from '#test/support/ecr-session.ts'
import { image } from '#test/support/images/build.ts'

eachDatabaseInCi(({ dialect, url }) =>
  describe(`lading events tail (${dialect})`, () => {
    const app = image({ seed: 'app' })
    let session: EcrSession
    let lading: Commands
    let tags = 0
    before(async () => {
      session = await startEcrSession({ database: await url() })
      const { server, ecr } = session
      lading = commandsOver({
        ...server.environment,
        ...{ AWS_ENDPOINT_URL: server.url, AWS_REGION: server.region },
        AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
      })
      for (const repositoryName of ['team/app', 'team/other']) {
        await ecr.createRepository({ repositoryName })
        await session.push(repositoryName, app, 'first')
      }
    })
    after(() => session[Symbol.asyncDispose]())

    const push = (repositoryName: string) =>
      session.ecr.putImage({ repositoryName, imageManifest: app.bytes.toString(), imageTag: `v${++tags}` })
    const parsed = (lines: readonly string[]) => lines.map((line) => JSON.parse(line) as EventEnvelope)

    test('each line of docs/events.md works, and prints events on lines of their own', {
      timeout: 120_000,
    }, async () => {
      const [block = ''] = blocksOf(await readPage('events.md', session.server), 'sh')
      const commands = block.trim().split('\n')
      assert.equal(commands.length, 3)
      for (const command of commands) {
        const today = command.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/, new Date().toISOString())
        const words = [...today.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '').slice(1)
        const lines = await lading.lines(words, 2, () => push('team/app'))
        for (const line of lines)
          assert.match(line, words.includes('--json') ? /^\{"version":"0",/ : /^\S+Z {2}(ECR|AWS) /)
      }
    })

    test('a line says what happened, where and to which image', async () => {
      const [line = ''] = await lading.lines(['events', 'tail', '--type', 'ECR Image Action'], 1, () =>
        push('team/app'),
      )
      assert.match(line, new RegExp(`^\\S+Z {2}ECR Image Action {2}PUSH {2}team/app {2}v\\d+ {2}${app.digest}$`))
    })

    test('it begins with what happened since a time, and shows one repository or one type alone', async () => {
      const from = new Date(Date.now() - 3_600_000).toISOString()
      const since = ['events', 'tail', '--json', '--since', from]
      const all = parsed(await lading.lines(since, 8, async () => {}))
      assert.ok(new Set(all.map((each) => each['detail-type'])).size > 1)
      const other = [...since, '--repository', 'team/other', '--type', 'ECR Image Action']
      const [first = assert.fail()] = parsed(await lading.lines(other, 1, async () => {}))
      assert.deepEqual([first.detail['repository-name'], first.detail['image-tag']], ['team/other', 'first'])
    })

    test('what is wrong is said in one line', async () => {
      assert.match(await lading.refusal('events', 'tail', '--since', 'yesterday'), /"yesterday" is no time/)
      assert.match(await lading.refusal('events', 'tail', '--repository', 'Team'), /"Team"/)
    })
  }),
)
