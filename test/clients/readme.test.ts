/** The README's tour, followed to the letter: its lines are read from the README and run, one terminal as the reader would. */
import assert from 'node:assert/strict'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startDockerEngine } from '#test/support/docker-engine.ts'
import { inContinuousIntegration, needs, run } from '#test/support/run.ts'
import { startServeProcess } from '#test/support/serve-process.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Where the README has its reader serve; the test serves elsewhere, so that it can run beside a reader. */
const readmeHost = '127.0.0.1:5100'

/** The shell lines of the tour, block by block. */
async function tourBlocks(): Promise<string[]> {
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  const [, tour = ''] = /\n## A tour[^\n]*\n(.*?)\n## /s.exec(readme) ?? []
  return [...tour.matchAll(/```sh\n(.*?)```/gs)].map(([, block = '']) => block)
}

/** What a block exports, by name. */
function exportsOf(block: string): Record<string, string> {
  return Object.fromEntries(
    [...block.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  )
}

test("the README's tour works when followed to the letter", needs('aws', 'docker', 'dockerd'), async (t) => {
  const [serving = '', ...lines] = await tourBlocks()
  assert.match(serving, /^npm start$/m)
  await using folder = await temporaryFolder()
  const engineFolder = join(folder.path, 'engine')
  await mkdir(engineFolder)
  const engine = await startDockerEngine(engineFolder).catch((error: unknown) => String(error))
  if (typeof engine === 'string') {
    assert.ok(!inContinuousIntegration, engine)
    t.skip(engine)
    return
  }
  await using _engine = engine

  const { LADING_ROOT_ACCESS_KEY_ID: id = '', LADING_ROOT_SECRET_ACCESS_KEY: secret = '' } = exportsOf(serving)
  await using server = startServeProcess([
    ...['--listen', '127.0.0.1:0', '--data-dir', join(folder.path, 'data'), '--log', 'error'],
    ...['--root-access-key-id', id, '--root-secret-access-key', secret],
  ])
  const { host } = new URL(await server.url())
  const script = lines.join('\n').replaceAll(readmeHost, host)
  const output = await run('bash', ['-euo', 'pipefail', '-c', `${endpointForOldAws}\n${script}`], {
    cwd: root,
    env: {
      LADING_DATA_DIR: join(folder.path, 'data'),
      HOME: folder.path,
      DOCKER_CONFIG: join(folder.path, 'docker'),
      DOCKER_HOST: engine.host,
      AWS_PAGER: '',
    },
  })

  assert.match(output, /arn:aws:iam::000000000000:root/)
  assert.match(output, /Login Succeeded/)
  assert.match(output, /Downloaded newer image/)
  assert.match(output, /"imageTagMutability": "IMMUTABLE"/)
  assert.match(output, /no identity-based policy/)
})

/** What the README tells readers to do whose `aws` is too old to know the variable. */
const endpointForOldAws = 'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }'
