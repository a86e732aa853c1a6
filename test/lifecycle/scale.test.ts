/** A repository of a hundred thousand images: its preview is whole, and is listed to the end while pushes go on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { paginateGetLifecyclePolicyPreview, waitUntilLifecyclePolicyPreviewComplete } from '@aws-sdk/client-ecr'
import { openMetadata } from '#metadata/open.ts'
import { startEcrSession } from '../support/ecr-session.ts'
import { image } from '../support/images/build.ts'
import { digest } from '../support/images/content.ts'

const images = 100_000
const kept = 1_000
const rowsAtOnce = 1_000

test(`the preview of ${images} images is listed whole, without repeats, while others are pushed`, async (t) => {
  await using session = await startEcrSession({ environment: { LADING_QUOTAS: `images=${2 * images}` } })
  const { ecr, server } = session
  const repositoryName = await session.repository()
  const expected = await fill(`sqlite:${server.dataDir}/lading.db`, repositoryName)
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
  const pushing = pushUntil(listing.signal, session, repositoryName)
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

/** The digests, oldest first. */
async function fill(database: string, name: string): Promise<string[]> {
  const metadata = await openMetadata(database, () => {})
  try {
    const { id } = await metadata.reader
      .selectFrom('repository')
      .select('id')
      .where('name', '=', name)
      .executeTakeFirstOrThrow()
    const digests = Array.from({ length: images }, (_, at) => digest(Buffer.from(`image ${at}`)))
    const began = Date.now() - images
    const body = Buffer.from('{}')
    for (let first = 0; first < images; first += rowsAtOnce) {
      const some = digests.slice(first, first + rowsAtOnce)
      await metadata.transaction(async (trx) => {
        await trx
          .insertInto('manifest')
          .values(
            some.map((digest, at) => ({
              ...{ repository_id: id, digest, media_type: 'application/vnd.oci.image.manifest.v1+json', body },
              ...{ artifact_type: null, subject: null, annotations: null, image_size: 1_000 },
              ...{ pushed_at: began + first + at, pulled_at: null },
            })),
          )
          .execute()
        await trx
          .insertInto('tag')
          .values(
            some.map((digest, at) => ({
              repository_id: id,
              tag: `v${first + at}`,
              digest,
              moved_at: began + first + at,
            })),
          )
          .execute()
      })
    }
    return digests
  } finally {
    await metadata.close()
  }
}

async function pushUntil(
  signal: AbortSignal,
  { push }: Awaited<ReturnType<typeof startEcrSession>>,
  repositoryName: string,
): Promise<number> {
  for (let pushed = 0; ; pushed++) {
    if (signal.aborted) return pushed
    await push(repositoryName, image({ seed: `meanwhile ${pushed}` }), `meanwhile-${pushed}`)
  }
}
