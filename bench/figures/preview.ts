import { type ECR, waitUntilLifecyclePolicyPreviewComplete } from '@aws-sdk/client-ecr'
import { fillRepository } from '#test/support/many-images.ts'
import type { Limit } from '../harness/figure.ts'
import { startLading } from '../harness/lading.ts'

const repositoryName = 'bench/preview'
const rounds = 5

/** From the start of a preview to the answer that it is complete, as the SDK's waiter asks for it. */
export const preview: Limit = {
  name: 'preview',
  title: 'lifecycle preview of 100,000 images',
  unit: 's',
  atMost: 2,
  full: true,
  async measure() {
    await using server = await startLading()
    await server.createRepository(repositoryName)
    fillRepository(server.database, repositoryName, 100_000)
    const seconds: number[] = []
    // The first is to warm up.
    for (let round = 0; round <= rounds; round++) seconds.push(await previewOnce(server.ecr))
    return seconds.slice(1).sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN
  },
}

/** All but the latest thousand would go. */
async function previewOnce(client: ECR): Promise<number> {
  const selection = { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 1_000 }
  const rules = [{ rulePriority: 1, selection, action: { type: 'expire' } }]
  const startedAt = performance.now()
  await client.startLifecyclePolicyPreview({ repositoryName, lifecyclePolicyText: JSON.stringify({ rules }) })
  const waiting = { client, minDelay: 0.05, maxDelay: 0.05, maxWaitTime: 60 }
  await waitUntilLifecyclePolicyPreviewComplete(waiting, { repositoryName })
  return (performance.now() - startedAt) / 1000
}
