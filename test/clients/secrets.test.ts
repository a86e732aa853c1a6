/** docs/pull-through.md, "Credentials of an upstream", run as it stands, and the rest of what `aws secretsmanager` has. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { blocksOf, readPage } from '#test/support/documentation.ts'
import { needs } from '#test/support/run.ts'
import { startSession } from '#test/support/session.ts'

const session = await startSession()
after(() => session[Symbol.asyncDispose]())

/** Debian 12's `aws` is older than AWS_ENDPOINT_URL, so the endpoint is given as an option. */
const preamble = `aws() { command aws --endpoint-url '${session.url}' "$@"; }`

const shell = (block: string) =>
  session.run('bash', ['-euo', 'pipefail', '-c', `${preamble}\n${block}`], { cwd: session.folder })

async function aws<Answer>(...args: string[]): Promise<Answer> {
  const output = await session.run('aws', ['--endpoint-url', session.url, '--output', 'json', ...args])
  // aws prints the answer as the API's model has it; the caller names its type. Nothing for an empty one.
  return JSON.parse(output || '{}') as Answer
}

test('the section works when followed to the letter', needs('aws'), async () => {
  const page = await readPage('pull-through.md', session)
  const [, section = ''] = /^## Credentials of an upstream$(.*?)^## /ms.exec(page) ?? []
  const [, quickStart = ''] = /^## Quick start$(.*?)^## /ms.exec(page) ?? []
  const [create = ''] = blocksOf(quickStart, 'sh')
  const [change = '', remove = ''] = blocksOf(section, 'sh')
  const rule = JSON.parse(await shell(create)) as { credentialArn: string }
  assert.match(rule.credentialArn, /:secret:ecr-pullthroughcache\/docker-hub-[A-Za-z0-9]{6}$/)
  const changed = await shell(change)
  assert.match(changed, /^\{ "username": "my-docker-id", "accessToken": "dckr_pat_example" \}$/m)
  assert.match(changed, /^ecr-pullthroughcache\/docker-hub\t/m)
  assert.match(await shell(remove), /"DeletionDate"/)
  type Value = { SecretString: string }
  const { SecretString } = await aws<Value>('secretsmanager', 'get-secret-value', '--secret-id', rule.credentialArn)
  assert.equal(SecretString, '{"username":"my-docker-id","accessToken":"dckr_pat_new"}')
})

test('aws describes, tags, labels and deletes a secret', needs('aws'), async () => {
  const secret = ['--secret-id', 'ecr-pullthroughcache/cli']
  const call = <Answer>(operation: string, ...args: string[]) =>
    aws<Answer>('secretsmanager', operation, ...secret, ...args)
  type Version = { VersionId: string }
  const name = ['--name', 'ecr-pullthroughcache/cli', '--description', 'by hand', '--tags', 'Key=team,Value=web']
  const { VersionId: first } = await aws<Version>('secretsmanager', 'create-secret', ...name, '--secret-string', '1')
  await call('tag-resource', '--tags', 'Key=more,Value=')
  await call('untag-resource', '--tag-keys', 'team')
  await call('update-secret', '--description', 'changed', '--secret-string', '2')
  await call('update-secret-version-stage', '--version-stage', 'KEPT', '--move-to-version-id', first)
  type Described = { Description: string; Tags: object[]; VersionIdsToStages: Record<string, string[]> }
  const described = await call<Described>('describe-secret')
  assert.deepEqual([described.Description, described.Tags], ['changed', [{ Key: 'more', Value: '' }]])
  assert.deepEqual(described.VersionIdsToStages[first], ['AWSPREVIOUS', 'KEPT'])
  type Versions = { Versions: object[] }
  assert.equal((await call<Versions>('list-secret-version-ids')).Versions.length, 2)
  assert.equal('ResourcePolicy' in (await call<object>('get-resource-policy')), false)
  await call('delete-secret', '--force-delete-without-recovery')
  await assert.rejects(call('describe-secret'), /ResourceNotFoundException.*can't find the specified secret\./)
  // Without recovery a secret that is not there is no error.
  await call('delete-secret', '--force-delete-without-recovery')
  const other = ['--name', 'database/password', '--secret-string', '1']
  await assert.rejects(aws('secretsmanager', 'create-secret', ...other), /begin with 'ecr-pullthroughcache\/'/)
  await assert.rejects(call('cancel-rotate-secret'), /UnknownOperationException/)
})
