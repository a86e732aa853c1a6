/** The aws command line against a running server, as the README's tour uses it. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { model } from '#ecr/model.ts'
import { image } from '#test/support/images/build.ts'
import { writeLayout } from '#test/support/images/layout.ts'
import { needs } from '#test/support/run.ts'
import { startSession } from '#test/support/session.ts'
import { until } from '#test/support/until.ts'

const session = await startSession()
after(() => session[Symbol.asyncDispose]())

/** The answer of `aws`; Debian 12's is older than AWS_ENDPOINT_URL, so the endpoint is given as an option. */
async function aws<Answer>(...args: string[]): Promise<Answer> {
  const output = await session.run('aws', ['--endpoint-url', session.url, '--output', 'json', ...args])
  // aws prints the answer as the API's model has it; the caller names its type. Nothing for an empty one.
  return JSON.parse(output || '{}') as Answer
}

test('aws creates a repository, sees what was pushed to it, and deletes it', needs('aws', 'skopeo'), async () => {
  const repository = ['--repository-name', 'aws-cli']
  const created = await aws<{ repository: { repositoryUri: string } }>('ecr', 'create-repository', ...repository)
  const uri = created.repository.repositoryUri
  assert.equal(uri, `${session.host}/aws-cli`)

  const source = join(session.folder, 'aws-cli')
  const small = image()
  await writeLayout(source, small, 'v1')
  const login = ['login', '--tls-verify=false', '-u', 'AWS', '--password-stdin', session.host]
  await session.run('skopeo', login, { input: await session.password() })
  const copy = ['copy', '--preserve-digests', '--dest-tls-verify=false', `oci:${source}:v1`, `docker://${uri}:v1`]
  await session.run('skopeo', copy)

  type Details = { imageDetails: { imageDigest: string; imageTags: string[] }[] }
  const { imageDetails } = await aws<Details>('ecr', 'describe-images', ...repository)
  assert.deepEqual(
    imageDetails.map(({ imageDigest, imageTags }) => ({ imageDigest, imageTags })),
    [{ imageDigest: small.digest, imageTags: ['v1'] }],
  )

  await assert.rejects(aws('ecr', 'delete-repository', ...repository), /RepositoryNotEmptyException/)
  await aws('ecr', 'delete-repository', '--force', ...repository)
  await assert.rejects(
    aws('ecr', 'describe-repositories', '--repository-names', 'aws-cli'),
    /RepositoryNotFoundException/,
  )
})

test('what aws puts is replicated, and aws sees how far it is', needs('aws'), async () => {
  const repository = ['--repository-name', 'aws-replicated']
  await aws('ecr', 'create-repository', ...repository)
  const small = image({ layers: [100], seed: 'aws-replicated' })
  for (const { bytes, digest } of small.blobs) {
    const part = join(session.folder, digest.slice(7))
    await writeFile(part, bytes)
    const { uploadId } = await aws<{ uploadId: string }>('ecr', 'initiate-layer-upload', ...repository)
    const upload = [...repository, '--upload-id', uploadId]
    const range = ['--part-first-byte', '0', '--part-last-byte', `${bytes.length - 1}`]
    await aws('ecr', 'upload-layer-part', ...upload, ...range, '--layer-part-blob', `fileb://${part}`)
    await aws('ecr', 'complete-layer-upload', ...upload, '--layer-digests', digest)
  }
  const rules = [{ destinations: [{ region: 'eu-west-1', registryId: session.server.account }] }]
  await aws('ecr', 'put-replication-configuration', '--replication-configuration', JSON.stringify({ rules }))
  const manifest = join(session.folder, 'aws-replicated.json')
  await writeFile(manifest, small.bytes)
  await aws('ecr', 'put-image', ...repository, '--image-tag', 'v1', '--image-manifest', `file://${manifest}`)

  type Statuses = { replicationStatuses: { region: string; registryId: string; status: string }[] }
  const describe = ['ecr', 'describe-image-replication-status', ...repository, '--image-id', 'imageTag=v1']
  let statuses: Statuses['replicationStatuses'] = []
  await until(async () => {
    statuses = (await aws<Statuses>(...describe)).replicationStatuses
    return statuses[0]?.status !== 'IN_PROGRESS'
  })
  assert.deepEqual(statuses, [{ region: 'eu-west-1', registryId: session.server.account, status: 'COMPLETE' }])
  type Details = { imageDetails: { imageDigest: string; imageTags: string[] }[] }
  const there = await aws<Details>('ecr', 'describe-images', ...repository, '--region', 'eu-west-1')
  assert.deepEqual(
    there.imageDetails.map(({ imageDigest, imageTags }) => ({ imageDigest, imageTags })),
    [{ imageDigest: small.digest, imageTags: ['v1'] }],
  )
})

test('aws lists no operation of ECR that is not served', needs('aws'), async () => {
  const help = await session.run('aws', ['ecr', 'help'])
  // Printed as on a typewriter: a letter is bold by being struck twice, and each command has a bullet, which is a struck o.
  const commands = [...help.replace(/.[\b]/g, '').matchAll(/^ +(?:o|\+|\*|•) ([a-z-]+)$/gm)].map(
    ([, name = '']) => name,
  )
  const served = new Set(Object.keys(model.operations).map(commandName))
  // What the program itself adds.
  const own = new Set(['get-login', 'get-login-password', 'help', 'wait'])
  assert.ok(commands.length > 40, help)
  assert.deepEqual(
    commands.filter((name) => !served.has(name) && !own.has(name)),
    [],
  )
})

/** `BatchGetImage` as the command line spells it. */
function commandName(operation: string): string {
  return operation.replace(/(?<!^)[A-Z]/g, '-$&').toLowerCase()
}

test('aws is told who it is', needs('aws'), async () => {
  const { Arn } = await aws<{ Arn: string }>('sts', 'get-caller-identity')
  assert.match(Arn, /^arn:aws:iam::\d{12}:root$/)
})

test('aws makes a user with a key and a policy, reads them back, and deletes them', needs('aws'), async () => {
  const user = ['--user-name', 'cli']
  const document = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'ecr:*', Resource: '*' }] }
  const policy = ['--policy-name', 'push', '--policy-document', JSON.stringify(document)]
  const tags = ['--tags', 'Key=team,Value=build tools', 'Key=empty,Value=']
  const { User } = await aws<{ User: object }>('iam', 'create-user', ...user, '--path', '/ci/', ...tags)
  assert.deepEqual((await aws<{ User: object }>('iam', 'get-user', ...user)).User, User)
  const { Users } = await aws<{ Users: { UserName: string }[] }>('iam', 'list-users', '--path-prefix', '/ci')
  assert.deepEqual(
    Users.map(({ UserName }) => UserName),
    ['cli'],
  )
  type Key = { AccessKey: { AccessKeyId: string; Status: string } }
  const { AccessKey } = await aws<Key>('iam', 'create-access-key', ...user)
  assert.equal(AccessKey.Status, 'Active')
  await aws('iam', 'put-user-policy', ...user, ...policy)
  const read = await aws<{ PolicyDocument: object }>('iam', 'get-user-policy', ...user, '--policy-name', 'push')
  assert.deepEqual(read.PolicyDocument, document)
  await assert.rejects(aws('iam', 'delete-user', ...user), /DeleteConflict.*must delete access keys first/)
  await aws('iam', 'delete-access-key', ...user, '--access-key-id', AccessKey.AccessKeyId)
  await aws('iam', 'delete-user-policy', ...user, '--policy-name', 'push')
  await aws('iam', 'delete-user', ...user)
  await assert.rejects(aws('iam', 'get-user', ...user), /NoSuchEntity/)
})
