/** What commands say of images and tags that another registry replicated. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandsOver } from '#test/support/command.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { startEcrSession } from '#test/support/ecr-session.ts'
import { image } from '#test/support/images/build.ts'
import { openPeer, sourceRegion } from '#test/support/peer.ts'

eachDatabaseInCi(({ dialect, url }) => {
  test(`the origin of an image and the history of a tag name the registry that replicated them (${dialect})`, async () => {
    await using session = await startEcrSession({ database: await url() })
    const { server, ecr } = session
    await using peer = await openPeer(server, server.credentials)
    const [there, here] = [image({ seed: 'there' }), image({ seed: 'here' })]
    const repository = 'team/app'
    const pushedAt = Date.now() - 60_000
    await peer.replicate(repository, there, { tag: 'v1', pushedAt })
    await session.push(repository, here, 'v1')
    const lading = commandsOver({
      ...server.environment,
      AWS_ENDPOINT_URL: server.url,
      AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
      AWS_REGION: server.region,
    })
    const source = { sourceAccount: server.account, sourceRegion }
    const origin = async () =>
      (await lading.json('image', 'origin', `${repository}@${there.digest}`)) as Record<string, unknown>
    const { replicatedAt, ...replicated } = await origin()
    assert.deepEqual(replicated, {
      ...{ repository, digest: there.digest, tags: [], origin: 'replicated' },
      ...{ pushedAt: new Date(pushedAt).toISOString(), ...source },
    })
    assert.ok(Date.parse(String(replicatedAt)) > pushedAt)
    assert.match(await lading.run('image', 'origin', `${repository}:v1`), /\norigin +pushed\n/)

    const { moves } = (await lading.json('tag', 'history', repository)) as { moves: Record<string, unknown>[] }
    assert.deepEqual(
      moves.map(({ cause, sourceAccount, sourceRegion: region }) => [cause, sourceAccount, region]),
      [
        ['push', undefined, undefined],
        ['replication', server.account, sourceRegion],
      ],
    )
    const table = await lading.run('tag', 'history', repository)
    assert.match(table, new RegExp(` replication, ${server.account} ${sourceRegion} `))

    // A client that pushes the image again after it went makes it one of this registry.
    await ecr.batchDeleteImage({ repositoryName: repository, imageIds: [{ imageDigest: there.digest }] })
    await session.push(repository, there)
    assert.equal((await origin()).origin, 'pushed')
  })
})
