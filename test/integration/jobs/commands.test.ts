/** What a person sees of jobs and does about them: `lading jobs`, the lines of docs/jobs.md, and `GET /metrics`. */
import assert from 'node:assert/strict'
import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { IAM } from '@aws-sdk/client-iam'
import { jobKind } from '#jobs/kind.ts'
import { enqueue } from '#jobs/queue.ts'
import { openMetadata } from '#metadata/open.ts'
import { run } from '#test/support/run.ts'
import { type Credentials, startServer } from '#test/support/server.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const other = jobKind({ kind: 'of-nobody', attempts: 1, leaseMs: 1_000, parse: () => ({}), key: () => 'all' })

test('jobs are listed, cancelled and retried, and schedules run, by the lines of docs/jobs.md', async (t) => {
  await using server = await startServer()
  const lading = (...args: string[]) =>
    run('bash', ['-c', `exec '${process.execPath}' bin/lading.js "$@"`, 'lading', ...args], {
      cwd: root,
      env: { ...server.environment },
    })
  const page = await readFile(new URL('../../../docs/jobs.md', import.meta.url), 'utf8')
  const [, block = ''] = /```sh\n(.*?)```/s.exec(page) ?? []
  const preamble = `lading() { '${process.execPath}' bin/lading.js "$@"; }`
  const shown = await run('bash', ['-euo', 'pipefail', '-c', `${preamble}\n${block}`], {
    cwd: root,
    env: { ...server.environment },
  })
  assert.match(shown, /no jobs/)
  assert.match(shown, /collect-garbage is due now/)
  while (!/collect-garbage +all +done/.test(await lading('jobs', 'list'))) await delay(100)

  const metadata = await openMetadata(`sqlite:${server.dataDir}/lading.db`, () => {})
  t.after(() => metadata.close())
  await metadata.transaction((trx) => enqueue(trx, other, {}, { at: Date.now() }))
  const { jobs } = JSON.parse(await lading('jobs', 'list', '--kind', 'of-nobody', '--json'))
  const id = String(jobs[0].id)
  assert.match(await lading('jobs', 'cancel', id), /is cancelled/)
  await assert.rejects(lading('jobs', 'cancel', id), /is cancelled: expected one that waits/)
  assert.match(await lading('jobs', 'retry', id), /is due now/)
  assert.match(await lading('jobs', 'list', '--state', 'waiting'), /of-nobody +all +waiting/)
  const scheduled = [...kindsOf(page)].flatMap(([kind, when]) => (when.startsWith('each ') ? [kind] : [])).sort()
  assert.match(await lading('jobs', 'run', 'find-due-lifecycle-policies'), /is due now/)
  const refusal = new RegExp(`no schedule "collect": there are ${scheduled.join(', ')}$`, 'm')
  await assert.rejects(lading('jobs', 'run', 'collect'), refusal)
  await assert.rejects(lading('jobs', 'retry', '999'), /no job 999/)
  await assert.rejects(lading('jobs', 'list', '--state', 'lost'), /no state/)
})

test('docs/jobs.md tells of every kind of job', async () => {
  const page = await readFile(new URL('../../../docs/jobs.md', import.meta.url), 'utf8')
  const known: string[] = []
  for await (const file of glob('src/**/*.ts', { cwd: root })) {
    const source = await readFile(join(root, file), 'utf8')
    for (const [, kind = ''] of source.matchAll(/= jobKind(?:<.*?>)?\(\{\s*kind: '(.*?)'/g)) known.push(kind)
  }
  assert.deepEqual(new Set(kindsOf(page).keys()), new Set(known))
})

/** What the page's table says, by kind: when it is done. */
function kindsOf(page: string): ReadonlyMap<string, string> {
  return new Map([...page.matchAll(/^\| `(.*?)` \| (.*?) \|/gm)].map(([, kind = '', when = '']) => [kind, when]))
}

test('metrics are told to principals of the own account who may, and to nobody else', async () => {
  await using server = await startServer()
  const ask = (credentials?: Credentials) =>
    fetch(`${server.url}/metrics`, {
      headers: credentials
        ? { authorization: `Basic ${btoa(`${credentials.accessKeyId}:${credentials.secretAccessKey}`)}` }
        : {},
    })
  const unknown = await ask()
  assert.equal(unknown.status, 401)
  assert.match(unknown.headers.get('www-authenticate') ?? '', /^Basic /)
  assert.equal((await ask({ ...server.credentials, secretAccessKey: 'another' })).status, 401)
  assert.equal((await ask({ accessKeyId: 'AKIANOBODYNOBODYNOBO', secretAccessKey: '' })).status, 401)
  assert.equal((await ask(await server.addAccount('222222222222'))).status, 403)

  const iam = new IAM({ endpoint: server.url, region: server.region, credentials: server.credentials })
  await iam.createUser({ UserName: 'prometheus' })
  const { AccessKey } = await iam.createAccessKey({ UserName: 'prometheus' })
  const key = { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' }
  assert.equal((await ask(key)).status, 403)
  const PolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Action: 'lading:GetMetrics', Resource: '*' },
  })
  await iam.putUserPolicy({ UserName: 'prometheus', PolicyName: 'metrics', PolicyDocument })
  iam.destroy()
  const told = await ask(key)
  assert.equal(told.status, 200)
  assert.match(told.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  const text = await told.text()
  assert.match(text, /^lading_gc_blobs_total 0$/m)
  assert.match(text, /^lading_jobs_lateness_seconds \d/m)
  assert.match(text, /^process_cpu_seconds_total \d/m)
})
