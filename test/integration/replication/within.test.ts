/** Replication between registries of one deployment, by the AWS SDK and the distribution API. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ECR } from '@aws-sdk/client-ecr'
import { eachDatabase } from '#test/support/databases.ts'
import { type EcrSession, startEcrSession } from '#test/support/ecr-session.ts'
import { image } from '#test/support/images/build.ts'
import { contentOf, replicateTo, settled } from '#test/support/replication.ts'

const account = '000000000000'
const there = { region: 'eu-west-1', registryId: account }

eachDatabase(({ dialect, url }) => {
  describe(`replication within a deployment (${dialect})`, () => {
    let session: EcrSession
    let source: ECR
    let destination: ECR
    before(async () => {
      session = await startEcrSession({ database: await url() })
      source = session.ecr
      destination = session.client({ region: there.region })
      await replicateTo(source, [there])
    })
    after(() => session[Symbol.asyncDispose]())

    test('a pushed image appears in the other region, with its tag and the same bytes', async () => {
      const app = image({ layers: [10_000, 20_000], seed: '1' })
      const repositoryName = await session.repository()
      await session.push(repositoryName, app, 'v1')
      assert.deepEqual(await settled(source, repositoryName, app.digest), [`${account}/eu-west-1: COMPLETE`])
      assert.deepEqual(await contentOf(destination, repositoryName), [`${app.digest} v1`])
      const { images } = await destination.batchGetImage({ repositoryName, imageIds: [{ imageTag: 'v1' }] })
      assert.equal(images?.[0]?.imageManifest, app.bytes.toString())
      for (const { digest, bytes } of app.blobs) {
        const { downloadUrl } = await destination.getDownloadUrlForLayer({ repositoryName, layerDigest: digest })
        const answer = await fetch(downloadUrl ?? '')
        assert.deepEqual(Buffer.from(await answer.arrayBuffer()), bytes)
      }
    })
  })
})
