/** An import that failed for good begins again at a later pull, also while the tag is fresh. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { image } from '#test/support/images/build.ts'
import { until } from '#test/support/until.ts'
import { startCacheSession } from '#test/support/upstreams/cache-session.ts'

test('once the upstream is mended, the next pull completes an image that could not be imported', async () => {
  await using session = await startCacheSession()
  const { hub, get, ecr } = session
  const app = image({ layers: [1_000] })
  const layer = app.blobs[1]
  assert.ok(layer)
  hub.content.push('library/app', app, 'latest')
  hub.fail({ at: 'cdn', reference: layer.digest }, { kind: 'alter' })
  const path = 'hub/library/app/manifests/latest'
  const repositoryName = 'hub/library/app'
  assert.equal((await get(path)).status, 200)
  const counts = async () => {
    const { imageDetails = [] } = await ecr.describeImages({ repositoryName })
    return imageDetails.length
  }
  const fetches = () => hub.log.count({ at: 'cdn', reference: layer.digest })
  await until(() => fetches() > 0)
  // The job marks the manifest once its transfer has ended.
  let before = -1
  await until(async () => {
    const now = fetches()
    const isStill = now === before
    before = now
    await new Promise((resolve) => setTimeout(resolve, 300))
    return isStill
  })
  hub.recover()
  session.pass(11_000)
  assert.equal(await counts(), 0)
  await until(async () => {
    assert.equal((await get(path)).status, 200)
    return (await counts()) === 1
  })
})
