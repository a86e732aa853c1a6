/** `lading webhook test-pattern`, and the operation that it calls, with the example of docs/event-patterns.md. */
import assert from 'node:assert/strict'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { callAdmin } from '#test/support/admin.ts'
import { commandsOver } from '#test/support/command.ts'
import { blocksOf } from '#test/support/documentation.ts'
import { run } from '#test/support/run.ts'
import { type RunningServer, startServer } from '#test/support/server.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

describe('tests of event patterns', () => {
  let server: RunningServer
  before(async () => {
    server = await startServer()
  })
  after(() => server.stop())

  const environment = () => ({
    ...server.environment,
    AWS_ENDPOINT_URL: server.url,
    AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    AWS_REGION: server.region,
  })
  const operation = (input: object) =>
    callAdmin<Record<string, unknown>>(server, server.credentials, 'TestEventPattern', input)

  test('the operation answers whether the event fits', async () => {
    const eventPattern = '{"source":["aws.ecr"],"detail":{"action-type":["PUSH"]}}'
    for (const [event, result] of [
      ['{"source":"aws.ecr","detail":{"action-type":"PUSH"}}', true],
      ['{"source":"aws.ecr","detail":{"action-type":"DELETE"}}', false],
      ['{}', false],
    ] as const) {
      const { status, body } = await operation({ eventPattern, event })
      assert.deepEqual([status, body], [200, { registryId: server.account, result }])
    }
  })

  test('the operation refuses what is no pattern, and what is no event', async () => {
    const { status, body } = await operation({ eventPattern: '{"source":"aws.ecr"}', event: '{}' })
    assert.deepEqual(
      [status, body],
      [
        400,
        {
          __type: 'InvalidEventPatternException',
          message:
            'Event pattern is not valid. Reason: source: expected an object or a list of allowed values, found a text',
        },
      ],
    )
    for (const event of ['[]', 'this is no JSON', '"text"']) {
      const { body } = await operation({ eventPattern: '{"source":["aws.ecr"]}', event })
      assert.deepEqual(body, {
        __type: 'InvalidParameterException',
        message: "Invalid parameter at 'event' failed to satisfy constraint: 'The event must be a JSON object'",
      })
    }
  })

  test('the command of docs/event-patterns.md prints what the page states', async () => {
    const page = await readFile(join(root, 'docs/event-patterns.md'), 'utf8')
    const [event = ''] = blocksOf(page, 'json event')
    const [line = '', ...others] = blocksOf(page, 'sh')
    assert.equal(others.length, 0)
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, 'event.json'), event)
    const program = join(folder.path, 'lading')
    await writeFile(program, `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'bin/lading.js')}" "$@"\n`)
    await chmod(program, 0o700)
    const env = { ...environment(), PATH: `${folder.path}${delimiter}${process.env.PATH}` }
    const output = await run('bash', ['-euo', 'pipefail', '-c', line], { cwd: folder.path, env })
    assert.ok(page.includes(`prints \`${output.trimEnd()}\``), output)
  })

  test('the command needs one pattern and one event', async () => {
    const lading = commandsOver(environment())
    const pattern = ['--pattern', '{"source":["aws.ecr"]}']
    const command = ['webhook', 'test-pattern']
    assert.deepEqual(await lading.json(...command, ...pattern, '--event', '{"source":"lading"}'), { fits: false })
    assert.match(await lading.refusal(...command, '--event', '{}'), /expected --pattern <json> or --pattern-file/)
    assert.match(await lading.refusal(...command, ...pattern), /expected --event <json> or --event-file/)
    assert.match(
      await lading.refusal(...command, '--pattern-file', '-', '--event-file', '-'),
      /standard input can be either the pattern or the event/,
    )
    assert.match(
      await lading.refusal(...command, '--pattern', '{"source":[]}', '--event', '{}'),
      /source: the list is empty/,
    )
  })
})
