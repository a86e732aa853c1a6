/** What another deployment refuses, and what the status of the image says of it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { commandsOver } from '#test/support/command.ts'
import type { EcrSession } from '#test/support/ecr-session.ts'
import { image, index } from '#test/support/images/build.ts'
import { startPair, there } from '#test/support/peers/pair.ts'
import { contentOf, settled } from '#test/support/replication.ts'
import { until } from '#test/support/until.ts'

const status = (text: string) => [`${there.registryId}/${there.region}: ${text}`]

async function reasonsOf({ server }: EcrSession): Promise<string[]> {
  const lading = commandsOver({
    ...server.environment,
    AWS_ENDPOINT_URL: server.url,
    AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    AWS_REGION: server.region,
  })
  const { output } = await lading.ended('replication', 'status', '--failed', '--json')
  return JSON.parse(output).images.map(({ reason }: { reason: string }) => reason)
}

describe('another Lading', () => {
  test('is sent no image with more manifests than this server may hold in memory', async () => {
    await using pair = await startPair()
    const { source } = pair
    const name = await source.repository()
    const filling = (seed: number) => image({ seed: String(seed), annotations: { filling: 'x'.repeat(4_100_000) } })
    const children = Array.from({ length: 9 }, (_, seed) => filling(seed))
    const root = index({ children })
    await source.push(name, root, 'v1')
    assert.deepEqual(await settled(source.ecr, name, root.digest), status('FAILED LimitExceededException'))
    for (const { digest } of children) assert.deepEqual(await settled(source.ecr, name, digest), status('COMPLETE'))
  })

  test('with a template that needs a role refuses with that reason, and no repository is created past the template', async () => {
    await using pair = await startPair()
    const { source, destination } = pair
    await destination.ecr.createRepositoryCreationTemplate({
      ...{ prefix: 'team', appliedFor: ['REPLICATION'], encryptionConfiguration: { encryptionType: 'KMS' } },
    })
    const name = await source.repository()
    const pushed = image()
    await source.push(name, pushed, 'v1')
    assert.deepEqual(await settled(source.ecr, name, pushed.digest), status('FAILED RepositoryNotFoundException'))
    assert.match((await reasonsOf(source)).join(), /needs a customRoleArn/)
    assert.equal(await contentOf(destination.ecr, name), undefined)
  })

  test('that has as many images as its quota allows refuses the next one', async () => {
    await using pair = await startPair({ destination: { environment: { LADING_QUOTAS: 'images=1' } } })
    const { source } = pair
    const name = await source.repository()
    const [first, second] = [image({ seed: '1' }), image({ seed: '2' })]
    await source.push(name, first, 'v1')
    assert.deepEqual(await settled(source.ecr, name, first.digest), status('COMPLETE'))
    await source.push(name, second, 'v2')
    assert.match((await settled(source.ecr, name, second.digest)).join(), /FAILED/)
    assert.match((await reasonsOf(source)).join(), /maximum number of images, 1/)
  })

  test('has an archived copy without a tag, which a restored source brings back', async () => {
    await using pair = await startPair()
    const { source, destination } = pair
    const name = await source.repository()
    const pushed = image()
    await source.push(name, pushed)
    assert.deepEqual(await settled(source.ecr, name, pushed.digest), status('COMPLETE'))
    const imageId = { imageDigest: pushed.digest }
    for (const { ecr } of [source, destination]) {
      await ecr.updateImageStorageClass({ repositoryName: name, imageId, targetStorageClass: 'ARCHIVE' })
    }
    await source.ecr.updateImageStorageClass({ repositoryName: name, imageId, targetStorageClass: 'STANDARD' })
    await until(async () => {
      const { imageDetails = [] } = await destination.ecr.describeImages({
        ...{ repositoryName: name, filter: { imageStatus: 'ACTIVE' } },
      })
      return imageDetails.some(({ imageDigest }) => imageDigest === pushed.digest)
    })
  })
})
