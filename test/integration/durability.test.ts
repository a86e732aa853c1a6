/**
 * Acknowledged means durable: the system calls of a real server, from its first start to its pushes, replayed on a disk that keeps only
 * what was synced. When the server sends 201, a power loss takes nothing of what that answer stands for.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { CreateRepositoryCommand, ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr'
import { type Blob, image } from '#test/support/images/build.ts'
import { pushBlob, pushManifest, type Registry, request } from '#test/support/push.ts'
import { needs } from '#test/support/run.ts'
import { startServeProcess } from '#test/support/serve-process.ts'
import { Disk, replay } from '#test/support/system-calls/disk.ts'
import {
  isSync,
  isSyncOf,
  isWrite,
  isWriteTo,
  parseTrace,
  pathOfDescriptor,
  quotedPaths,
  type SystemCall,
} from '#test/support/system-calls/parse.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { until } from '#test/support/until.ts'

const repository = 'team/app'
const rootKey = { accessKeyId: 'AKIADURABLEDURABLE01', secretAccessKey: 'durable-secret-durable-secret-durable-1' }
const traced = [
  ...['openat', 'mkdir', 'mkdirat', 'link', 'linkat', 'rename', 'renameat', 'renameat2', 'unlink', 'unlinkat', 'rmdir'],
  ...['write', 'writev', 'pwrite64', 'pwritev', 'pwritev2', 'sendto', 'sendmsg', 'fsync', 'fdatasync'],
]

test('what is answered with 201 survives a power loss, with the folders that hold it', needs('strace'), async () => {
  await using folder = await temporaryFolder()
  // The server makes two folders.
  const dataDir = join(folder.path, 'new', 'data')
  const pushed = image({ seed: 'durable', layers: [300_000] })
  const [config = assert.fail(), layer = assert.fail()] = pushed.blobs
  const calls = await trace(join(folder.path, 'trace'), dataDir, async (registry) => {
    await pushBlob(registry, repository, layer)
    await pushBlobAtOnce(registry, config)
    await pushManifest(registry, repository, pushed, 'latest')
  })

  const log = join(dataDir, 'lading.db-wal')
  const commit = [step('the commit is written', isWriteTo(log)), step('the commit is synced', isSyncOf(log))]
  const drafts = join(dataDir, 'blobs', 'drafts')
  const isOfDraft = (call: SystemCall) => pathOfDescriptor(call)?.startsWith(`${drafts}/`) === true
  const push = ({ digest }: Blob) => {
    const path = blobPath(dataDir, digest)
    return [
      step('the file is synced', (call) => isSync(call) && isOfDraft(call)),
      step('the file gets its name', (call) => call.name.startsWith('rename') && quotedPaths(call)[1] === path),
      step('the folder is synced', isSyncOf(dirname(path))),
      ...commit,
    ]
  }
  const wanted = [push(layer), push(config), commit]
  const files = [log, join(dataDir, 'lading.db'), blobPath(dataDir, layer.digest), blobPath(dataDir, config.digest)]

  const disk = new Disk(folder.path)
  let since: SystemCall[] = []
  let answers = 0
  replay(calls, disk, (call) => {
    since.push(call)
    if (!/HTTP\/1\.1 \d/.test(call.text)) return
    if (call.text.includes('HTTP/1.1 201')) {
      const steps = wanted[answers] ?? assert.fail('an answer more than there were pushes')
      assert.deepEqual(stepsTaken(steps, since), namesOf(steps), `before answer ${answers}`)
      const acknowledged = files.slice(0, Math.min(3 + answers, files.length))
      assert.deepEqual(disk.unsafe(acknowledged), [], `at answer ${answers}`)
      answers++
    }
    since = []
  })
  assert.equal(answers, wanted.length)
  // A server that writes by calls that are not recorded would pass all the above.
  assert.ok(calls.some((call) => isWrite(call) && isOfDraft(call)))
})

interface Step {
  readonly name: string
  readonly is: (call: SystemCall) => boolean
}

function step(name: string, is: Step['is']): Step {
  return { name, is }
}

function namesOf(steps: readonly Step[]): string[] {
  return steps.map(({ name }) => name)
}

/** Those that came one after the other: each begins when the one before has ended. */
function stepsTaken(steps: readonly Step[], calls: readonly SystemCall[]): string[] {
  const taken: string[] = []
  let after = -1
  for (const { name, is } of steps) {
    const found = calls.find((call) => call.succeeded && call.begins > after && is(call))
    if (found === undefined) return taken
    taken.push(name)
    after = found.ends
  }
  return taken
}

function blobPath(dataDir: string, digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':')
  return join(dataDir, 'blobs', algorithm, hex.slice(0, 2), hex)
}

/** The system calls of a server that starts over no data, serves `work` and stops. */
async function trace(
  path: string,
  dataDir: string,
  work: (registry: Registry) => Promise<void>,
): Promise<SystemCall[]> {
  const options = ['-D', '-f', '-y', '-q', '-s', '64', '-o', path, '-e', `trace=${traced.join(',')}`]
  const flags = [
    ...['--listen', '127.0.0.1:0', '--data-dir', dataDir],
    ...['--root-access-key-id', rootKey.accessKeyId, '--root-secret-access-key', rootKey.secretAccessKey],
  ]
  await using server = startServeProcess(flags, { under: ['strace', ...options] })
  await work(await logIn(await server.url()))
  server.signal('SIGTERM')
  assert.equal(await server.exit, 0, server.errors())
  // The tracer outlives the server for a moment.
  let text = ''
  await until(async () => {
    text = await readFile(path, 'utf8')
    return text.trimEnd().endsWith('+++ exited with 0 +++')
  })
  return parseTrace(text)
}

async function logIn(url: string): Promise<Registry> {
  const client = new ECRClient({ endpoint: url, region: 'us-east-1', credentials: rootKey })
  await client.send(new CreateRepositoryCommand({ repositoryName: repository }))
  const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}))
  client.destroy()
  return { url, authorization: `Basic ${authorizationData?.[0]?.authorizationToken}` }
}

async function pushBlobAtOnce(registry: Registry, { bytes, digest }: Blob): Promise<void> {
  const path = `/v2/${repository}/blobs/uploads/?digest=${digest}`
  const answer = await request(registry, path, { method: 'POST', body: new Uint8Array(bytes) })
  assert.equal(answer.status, 201, await answer.text())
}
