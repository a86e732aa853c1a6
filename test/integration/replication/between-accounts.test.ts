/** Replication to another account of a peer, and with a key of another account or a role. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { commandsOver } from '#test/support/command.ts'
import { type EcrSession, startEcrSession } from '#test/support/ecr-session.ts'
import { image } from '#test/support/images/build.ts'
import { startSource, there } from '#test/support/peers/pair.ts'
import { contentOf, replicateTo, settled } from '#test/support/replication.ts'

const { region } = there
const sourceAccount = there.registryId
const farAccount = '222222222222'
const pushed = image({ layers: [100_000] })

interface Place extends AsyncDisposable {
  readonly far: EcrSession
  /** Of the account that the images go to. */
  readonly farEcr: EcrSession['ecr']
  readonly farKey: EcrSession['server']['credentials']
  source(entry: Readonly<Record<string, unknown>>): Promise<EcrSession>
}

/** A deployment with two accounts, and one that replicates from the first to the second. */
async function startPlace(): Promise<Place> {
  await using stack = new AsyncDisposableStack()
  const far = stack.use(await startEcrSession({ environment: { LADING_REGION: region } }))
  const farKey = await far.server.addAccount(farAccount)
  const owned = stack.move()
  return {
    far,
    farKey,
    farEcr: far.client({ credentials: farKey }),
    async source(entry) {
      const { accessKeyId, secretAccessKey } = far.server.credentials
      const registries = [{ account: farAccount, region }]
      const peer = {
        name: 'far',
        kind: 'lading',
        url: far.server.url,
        accessKeyId,
        secretAccessKey,
        registries,
        ...entry,
      }
      const session = owned.use(await startSource([peer]))
      await replicateTo(session.ecr, [{ region, registryId: farAccount }])
      return session
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const allow = (Action: string | readonly string[], Resource?: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        ...{ Sid: 'Replication', Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${sourceAccount}:root` }, Action },
        ...(Resource !== undefined && { Resource }),
      },
    ],
  })

async function pushTo(source: EcrSession): Promise<{ readonly name: string; readonly status: string }> {
  const name = await source.repository()
  await source.push(name, pushed, 'v1')
  return { name, status: (await settled(source.ecr, name, pushed.digest)).join() }
}

async function reasonOf({ server }: EcrSession): Promise<string> {
  const lading = commandsOver({
    ...server.environment,
    AWS_ENDPOINT_URL: server.url,
    AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    AWS_REGION: server.region,
  })
  const { output } = await lading.ended('replication', 'status', '--failed', '--json')
  return JSON.parse(output).images[0]?.reason
}

const place = `${farAccount}/${region}`

describe('another account of another Lading', () => {
  test('receives images by its registry policy', async () => {
    await using world = await startPlace()
    const actions = ['ecr:ReplicateImage', 'ecr:CreateRepository']
    await world.farEcr.putRegistryPolicy({
      policyText: allow(actions, `arn:aws:ecr:${region}:${farAccount}:repository/*`),
    })
    const { name, status } = await pushTo(await world.source({}))
    assert.equal(status, `${place}: COMPLETE`)
    assert.deepEqual(await contentOf(world.farEcr, name), [`${pushed.digest} v1`])
    assert.equal(await contentOf(world.far.ecr, name), undefined)
  })

  test('without a policy refuses them, and the account of the key has none of them', async () => {
    await using world = await startPlace()
    const source = await world.source({})
    const { name, status } = await pushTo(source)
    assert.equal(status, `${place}: FAILED AccessDeniedException`)
    assert.match(await reasonOf(source), /not authorized|forbids/)
    assert.equal(await contentOf(world.far.ecr, name), undefined)
  })

  test('receives nothing by a key of its own, since images come in the name of the account of the key', async () => {
    await using world = await startPlace()
    const source = await world.source({ ...world.farKey })
    const { name, status } = await pushTo(source)
    assert.equal(status, `${place}: FAILED AccessDeniedException`)
    assert.match(
      await reasonOf(source),
      /the key is one of account 222222222222, and replicates no images of account 000000000000/,
    )
    assert.equal(await contentOf(world.farEcr, name), undefined)
  })

  test('receives images by the ECR API and the policies of its registry and its repository', async () => {
    await using world = await startPlace()
    await world.farEcr.createRepository({ repositoryName: 'team/app-1' })
    const push = ['ecr:BatchCheckLayerAvailability', 'ecr:InitiateLayerUpload', 'ecr:UploadLayerPart']
    const policyText = allow([
      ...push,
      'ecr:CompleteLayerUpload',
      'ecr:PutImage',
      'ecr:BatchGetImage',
      'ecr:GetDownloadUrlForLayer',
    ])
    await world.farEcr.setRepositoryPolicy({ repositoryName: 'team/app-1', policyText })
    const { name, status } = await pushTo(await world.source({ kind: 'ecr' }))
    assert.equal(name, 'team/app-1')
    assert.equal(status, `${place}: COMPLETE`)
    assert.deepEqual(await contentOf(world.farEcr, name), [`${pushed.digest} v1`])
  })
})
