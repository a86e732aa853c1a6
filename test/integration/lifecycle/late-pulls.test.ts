/** A preview and a dry run know of pulls that the server has in memory and has not written yet, as a run does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PreviewLifecycleResponse } from '#admin/model.ts'
import { sqliteUrl } from '#test/support/databases.ts'
import { index } from '#test/support/images/build.ts'
import { openRetentionStage } from '#test/support/retention-stage.ts'
import { until } from '#test/support/until.ts'

const dayMs = 24 * 3_600_000

test('an image that was pulled just now is not archived for its last pull', async (t) => {
  const { ecr, ask, move, repository } = await openRetentionStage(t, await sqliteUrl())
  const selection = { tagStatus: 'any', countType: 'sinceImagePulled', countUnit: 'days', countNumber: 5 }
  const action = { type: 'transition', targetStorageClass: 'archive' }
  const lifecyclePolicyText = JSON.stringify({ rules: [{ rulePriority: 1, selection, action }] })
  const pulled = async () => {
    const repositoryName = await repository()
    const pushed = index({ children: [] })
    await ecr().putImage({ repositoryName, imageManifest: pushed.bytes.toString(), imageTag: 'v1' })
    move(10 * dayMs)
    await ecr().batchGetImage({ repositoryName, imageIds: [{ imageDigest: pushed.digest }] })
    return { repositoryName, lifecyclePolicyText }
  }

  const dry = await ask<PreviewLifecycleResponse>('PreviewLifecycle', await pulled())
  assert.deepEqual(
    dry.images.map(({ verdict }) => verdict),
    ['KEEP'],
  )

  const asked = await pulled()
  await ecr().startLifecyclePolicyPreview(asked)
  const { repositoryName } = asked
  await until(async () => (await ecr().getLifecyclePolicyPreview({ repositoryName })).status === 'COMPLETE')
  const { previewResults } = await ecr().getLifecyclePolicyPreview({ repositoryName })
  assert.deepEqual(previewResults, [])
})
