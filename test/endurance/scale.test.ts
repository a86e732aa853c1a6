/** A repository of a hundred thousand images: its preview is whole, and is listed to the end while pushes go on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ECR, paginateGetLifecyclePolicyPreview, waitUntilLifecyclePolicyPreviewComplete } from '@aws-sdk/client-ecr'
import { pushImageTo } from '#test/support/ecr-push.ts'
import { image } from '#test/support/images/build.ts'
import { fillRepository } from '#test/support/many-images.ts'
import { startServeProcess } from '#test/support/serve-process.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const images = 100_000
const kept = 1_000
const credentials = { accessKeyId: 'AKIASCALESCALESCALE1', secretAccessKey: 'scale-secret-scale-secret-scale-secret' }
const repositoryName = 'team/app'

test(`the preview of ${images} images is listed whole, without repeats, while others are pushed`, async (t) => {
  await using folder = await temporaryFolder()
  await using server = startServeProcess([
    ...['--listen', '127.0.0.1:0', '--data-dir', folder.path, '--quotas', `images=${2 * images}`],
    ...['--root-access-key-id', credentials.accessKeyId, '--root-secret-access-key', credentials.secretAccessKey],
  ])
  const ecr = new ECR({ endpoint: await server.url(), region: 'us-east-1', credentials, maxAttempts: 1 })
  t.after(() => ecr.destroy())
  await ecr.createRepository({ repositoryName })
  const expected = fillRepository(`${folder.path}/lading.db`, repositoryName, images)
  const lifecyclePolicyText = JSON.stringify({
    rules: [
      {
        rulePriority: 1,
        selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: kept },
        action: { type: 'expire' },
      },
    ],
  })

  const began = performance.now()
  await ecr.startLifecyclePolicyPreview({ repositoryName, lifecyclePolicyText })
  await waitUntilLifecyclePolicyPreviewComplete(
    { client: ecr, minDelay: 0.05, maxDelay: 0.05, maxWaitTime: 60 },
    { repositoryName },
  )
  t.diagnostic(`complete after ${Math.round(performance.now() - began)} ms`)

  const listing = new AbortController()
  const pushing = pushUntil(listing.signal, ecr)
  // A push that fails is met below, once the listing has ended.
  pushing.catch(() => {})
  const listed: string[] = []
  let total: number | undefined
  for await (const page of paginateGetLifecyclePolicyPreview({ client: ecr, pageSize: 100 }, { repositoryName })) {
    total = page.summary?.expiringImageTotalCount
    for (const { imageDigest = '' } of page.previewResults ?? []) listed.push(imageDigest)
  }
  listing.abort()
  const pushed = await pushing
  t.diagnostic(`listed after ${Math.round(performance.now() - began)} ms, while ${pushed} images were pushed`)
  assert.ok(pushed > 0)
  assert.equal(total, images - kept)
  assert.equal(listed.length, images - kept)
  assert.deepEqual(new Set(listed), new Set(expected.slice(0, images - kept)))
})

async function pushUntil(signal: AbortSignal, ecr: ECR): Promise<number> {
  for (let pushed = 0; ; pushed++) {
    if (signal.aborted) return pushed
    await pushImageTo(ecr, repositoryName, image({ seed: `meanwhile ${pushed}` }), `meanwhile-${pushed}`)
  }
}
