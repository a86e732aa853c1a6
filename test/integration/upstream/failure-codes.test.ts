/** Each code that the ECR API has for an upstream that fails, and the events that say so. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CloudTrail } from '@aws-sdk/client-cloudtrail'
import { refusalOf } from '#test/support/ecr-session.ts'
import { artifact, image } from '#test/support/images/build.ts'
import { until } from '#test/support/until.ts'
import { type CacheSession, startCacheSession } from '#test/support/upstreams/cache-session.ts'

const repositoryName = 'hub/library/app'

function get({ ecr }: CacheSession) {
  return ecr.batchGetImage({ repositoryName, imageIds: [{ imageTag: 'latest' }] })
}

async function codeOf(session: CacheSession): Promise<string | undefined> {
  const { failures = [] } = await get(session)
  return failures[0]?.failureCode
}

describe('failures of an upstream in the ECR API', () => {
  test('BatchGetImage pulls through, and says why an image cannot be had', async () => {
    await using session = await startCacheSession()
    const { hub, ecr } = session
    const app = image({ layers: [1_000] })
    hub.content.push('library/app', app, 'latest')
    // A repository that is there has failures of images; one that is not there has its own exception.
    await ecr.createRepository({ repositoryName })

    hub.behaviour.down = true
    assert.equal(await codeOf(session), 'UpstreamUnavailable')
    hub.behaviour.down = false
    session.pass(60_000)
    hub.behaviour.rateLimit = { limit: 1, used: 1, windowSeconds: 60, retryAfter: '60' }
    assert.equal(await codeOf(session), 'UpstreamTooManyRequests')
    hub.behaviour.rateLimit = undefined
    session.pass(60_000)
    hub.fail({ kind: 'manifests' }, { kind: 'unauthorized' })
    assert.equal(await codeOf(session), 'UpstreamAccessDenied')
    hub.recover()
    session.pass(60_000)
    const { images = [] } = await get(session)
    assert.equal(images[0]?.imageManifest, app.bytes.toString())
  })

  test('GetDownloadUrlForLayer fetches a layer of an image on its way, or says that the upstream failed', async () => {
    await using session = await startCacheSession()
    const { hub, ecr } = session
    const app = image({ layers: [1_000, 2_000] })
    hub.content.push('library/app', app, 'latest')
    const [, first, second] = app.blobs
    hub.fail({ kind: 'blobs', reference: second?.digest ?? '' }, { kind: 'status', status: 500 })
    await get(session)
    const { downloadUrl = '' } = await ecr.getDownloadUrlForLayer({ repositoryName, layerDigest: first?.digest })
    const body = Buffer.from(await (await fetch(downloadUrl)).arrayBuffer())
    assert.ok(first && body.equals(first.bytes))
    const refusal = await refusalOf(ecr.getDownloadUrlForLayer({ repositoryName, layerDigest: second?.digest }))
    assert.equal(refusal.name, 'UnableToGetUpstreamLayerException')
  })

  test('ListImageReferrers imports what the upstream lists, or says that it could not ask', async () => {
    await using session = await startCacheSession()
    const { hub, ecr } = session
    const app = image({ layers: [1_000] })
    const sbom = artifact({ artifactType: 'application/spdx+json', subject: app, blobs: [Buffer.from('{}')] })
    hub.content.push('library/app', app, 'latest')
    hub.content.push('library/app', sbom)
    await get(session)
    const subjectId = { imageDigest: app.digest }
    hub.fail({ kind: 'referrers' }, { kind: 'status', status: 500 })
    const refusal = await refusalOf(ecr.listImageReferrers({ repositoryName, subjectId }))
    assert.equal(refusal.name, 'UnableToListUpstreamImageReferrersException')
    hub.recover()
    session.pass(60_000)
    const { referrers = [] } = await ecr.listImageReferrers({ repositoryName, subjectId })
    assert.deepEqual(
      referrers.map(({ digest, artifactType }) => [digest, artifactType]),
      [[sbom.digest, 'application/spdx+json']],
    )
    await until(async () => {
      const { imageDetails = [] } = await ecr
        .describeImages({ repositoryName, imageIds: [subjectId] })
        .catch(() => ({ imageDetails: [] }))
      return imageDetails.length > 0
    })
    hub.behaviour.down = true
    assert.equal((await session.get(`${repositoryName}/manifests/${sbom.digest}`)).status, 200)
    const again = await ecr.listImageReferrers({ repositoryName, subjectId })
    assert.equal(again.referrers?.length, 1)
  })

  test('ValidatePullThroughCacheRule logs in at the upstream', async () => {
    await using session = await startCacheSession()
    const { hub, ecr } = session
    const validate = () => ecr.validatePullThroughCacheRule({ ecrRepositoryPrefix: 'hub' })
    const { isValid, failure } = await validate()
    assert.deepEqual([isValid, failure], [true, undefined])
    hub.fail({ at: 'token' }, { kind: 'status', status: 401 })
    const refused = await validate()
    assert.equal(refused.isValid, false)
    assert.match(refused.failure ?? '', /^registry-1\.docker\.io: /)
    hub.behaviour.down = true
    assert.equal((await validate()).isValid, false)
  })

  test('each image that comes, and each failure, is an event in the audit trail', async () => {
    await using session = await startCacheSession()
    const { hub, server } = session
    const trail = new CloudTrail({ endpoint: server.url, region: server.region, credentials: server.credentials })
    const events = async () => {
      const { Events = [] } = await trail.lookupEvents({
        LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'ECR Pull Through Cache Action' }],
      })
      return Events.map(({ CloudTrailEvent = '{}' }) => JSON.parse(CloudTrailEvent).serviceEventDetails)
    }
    hub.behaviour.down = true
    await session.get(`${repositoryName}/manifests/latest`)
    await until(async () => (await events()).length > 0)
    const [failed] = await events()
    assert.equal(failed['sync-status'], 'FAILED')
    assert.equal(failed['failure-code'], 'UpstreamUnavailable')
    hub.behaviour.down = false
    const app = image({ layers: [1_000] })
    hub.content.push('library/app', app, 'v2')
    await session.get(`${repositoryName}/manifests/v2`)
    await until(async () => (await events()).some((event) => event['sync-status'] === 'SUCCESS'))
    const succeeded = (await events()).find((event) => event['sync-status'] === 'SUCCESS')
    assert.deepEqual(succeeded, {
      'rule-version': '1',
      'sync-status': 'SUCCESS',
      'ecr-repository-prefix': 'hub',
      'repository-name': repositoryName,
      'upstream-registry-url': 'registry-1.docker.io',
      'image-tag': 'v2',
      'image-digest': app.digest,
    })
    trail.destroy()
  })
})
