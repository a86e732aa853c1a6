/** When an image was last pulled: recorded in batches, but not for those whom the registry excludes. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ecrQuotas as quotas } from '#config/quotas.ts'
import { parseAccountId } from '#names/account.ts'
import { parseDigest } from '#names/digest.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { createImageLists } from '#registry/image-lists.ts'
import { createImagePush } from '#registry/image-push.ts'
import { createImages } from '#registry/images.ts'
import { createPullTimeExclusions } from '#registry/pull-time-exclusions.ts'
import { createPulls } from '#registry/pulls.ts'
import { createRepositories } from '#registry/repositories.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { index } from '#test/support/images/build.ts'
import { aPuller } from '#test/support/puller.ts'

const account = parseAccountId('000000000000')
const [scanner, kubelet] = [`arn:aws:iam::${account}:role/scanner`, `arn:aws:iam::${account}:role/kubelet`]

eachDatabase((databases) =>
  describe(`the time of the last pull on ${databases.dialect}`, () => {
    test('a pull of an excluded principal leaves it alone, in the registry that excludes it and until it ends', async (t) => {
      const metadata = await databases.open(t)
      let now = 1_000
      const clock = () => now
      const pulls = createPulls({ metadata, clock, onError: assert.ifError })
      t.after(() => pulls.stop())
      const exclusions = createPullTimeExclusions({ metadata, clock, quotas })
      const images = createImages({ metadata, pulls })
      const { bytes: body, mediaType, ...empty } = index({ children: [] })
      const digest = parseDigest(empty.digest)

      const [here, there] = await Promise.all(
        ['us-east-1', 'eu-west-1'].map(async (region) => {
          const key = { registry: { account, region: parseRegion(region) }, name: parseRepositoryName('team/app') }
          await createRepositories({ metadata, clock, quotas, repositoryCreated: [] }).create(key, {})
          await createImagePush({ metadata, clock, quotas }).put(key, { body, mediaType, by: '' })
          const pull = async (by: string) => {
            now += 1_000
            await images.pull(key, { digest }, aPuller(by))
            await pulls.flush()
            return (await createImageLists({ metadata }).get(key, { digest })).pulledAt
          }
          return { registry: key.registry, pull }
        }),
      )
      assert(here !== undefined && there !== undefined)

      await exclusions.register(here.registry, scanner)
      assert.equal(await here.pull(scanner), undefined)
      const pulledAt = await here.pull(kubelet)
      assert.equal(pulledAt, now)
      assert.equal(await here.pull(scanner), pulledAt)
      assert.equal(await there.pull(scanner), now)
      await exclusions.deregister(here.registry, scanner)
      assert.equal(await here.pull(scanner), now)
    })

    test('of several principals that pull within one batch, the excluded one hides no other', async (t) => {
      const metadata = await databases.open(t)
      let now = 1_000
      const clock = () => now
      const pulls = createPulls({ metadata, clock, onError: assert.ifError })
      t.after(() => pulls.stop())
      const key = { registry: { account, region: parseRegion('us-east-1') }, name: parseRepositoryName('team/app') }
      const { id } = await createRepositories({ metadata, clock, quotas, repositoryCreated: [] }).create(key, {})
      const { bytes: body, mediaType } = index({ children: [] })
      const { digest } = await createImagePush({ metadata, clock, quotas }).put(key, { body, mediaType, by: '' })
      await createPullTimeExclusions({ metadata, clock, quotas }).register(key.registry, scanner)

      const by = [kubelet, scanner, `arn:aws:iam::${account}:user/ci`]
      for (const each of [...by, scanner]) {
        now += 1_000
        pulls.record(id, digest, each)
      }
      await pulls.flush()
      assert.equal((await createImageLists({ metadata }).get(key, { digest })).pulledAt, now - 1_000)
    })
  }),
)
