/** The four modes of tag mutability on both planes: which tags move, which do not, and that what is refused changes nothing. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ImageTagMutability } from '@aws-sdk/client-ecr'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { type EcrSession, refusalOf, startEcrSession } from '#test/support/ecr-session.ts'
import { image } from '#test/support/images/build.ts'
import { type OciClient, openOciClient } from '#test/support/oci-client.ts'

const deployed = image({ seed: 'deployed' })
const broken = image({ seed: 'broken' })
const filters = ['dev-*', '*latest*']
const excluded = ['dev-', 'dev-1', 'latest', 'v1-latest-2']
const others = ['production', 'v1', 'Dev-1', 'a-dev-1']

const modes: Readonly<Record<ImageTagMutability, { moving: readonly string[]; fixed: readonly string[] }>> = {
  MUTABLE: { moving: [...excluded, ...others], fixed: [] },
  IMMUTABLE: { moving: [], fixed: [...excluded, ...others] },
  MUTABLE_WITH_EXCLUSION: { moving: others, fixed: excluded },
  IMMUTABLE_WITH_EXCLUSION: { moving: excluded, fixed: others },
}

eachDatabaseInCi(({ dialect, url }) =>
  describe(`tag mutability on both planes (${dialect})`, () => {
    let session: EcrSession
    let client: OciClient
    before(async () => {
      session = await startEcrSession({ database: await url() })
      client = await openOciClient(session.server)
    })
    after(async () => {
      await client[Symbol.asyncDispose]()
      await session[Symbol.asyncDispose]()
    })

    const put = (repositoryName: string, tag: string, { mediaType, bytes }: typeof deployed) =>
      client.call('PUT', `/v2/${repositoryName}/manifests/${tag}`, {
        headers: { 'content-type': mediaType },
        body: bytes,
      })
    const target = async (repositoryName: string, tag: string) =>
      (await client.call('HEAD', `/v2/${repositoryName}/manifests/${tag}`)).headers['docker-content-digest']

    // The names of the API, as the table's type has it.
    for (const mode of Object.keys(modes) as ImageTagMutability[]) {
      test(mode, async () => {
        const { ecr } = session
        const { moving, fixed } = modes[mode]
        // Set later: it counts for tags that are there already.
        const repositoryName = await session.repository()
        for (const each of [deployed, broken]) await session.push(repositoryName, each)
        for (const tag of [...moving, ...fixed]) assert.equal((await put(repositoryName, tag, deployed)).status, 201)
        const exclusions = filters.map((filter) => ({ filterType: 'WILDCARD', filter }) as const)
        await ecr.putImageTagMutability({
          ...{ repositoryName, imageTagMutability: mode },
          ...(mode.endsWith('EXCLUSION') && { imageTagMutabilityExclusionFilters: exclusions }),
        })
        const move = (imageTag: string) =>
          ecr.putImage({ repositoryName, imageTag, imageManifest: broken.bytes.toString() })

        for (const tag of fixed) {
          const message = `The image tag '${tag}' already exists in the '${repositoryName}' repository and cannot be overwritten because the tag is immutable.`
          const refused = await put(repositoryName, tag, broken)
          assert.deepEqual([refused.status, refused.error, refused.message], [400, 'TAG_INVALID', message])
          const name = 'ImageTagAlreadyExistsException'
          assert.deepEqual(await refusalOf(move(tag)), { name, message, status: 400 })
          assert.equal((await put(repositoryName, tag, deployed)).status, 201, 'what is there is no move')
          assert.equal(await target(repositoryName, tag), deployed.digest)
        }
        for (const tag of moving) {
          await move(tag)
          assert.equal(await target(repositoryName, tag), broken.digest)
          assert.equal((await put(repositoryName, tag, deployed)).status, 201)
          assert.equal(await target(repositoryName, tag), deployed.digest)
        }
        // A tag that is not there does not move; one that was deleted is not there.
        for (const tag of fixed.slice(0, 1)) {
          await ecr.batchDeleteImage({ repositoryName, imageIds: [{ imageTag: tag }] })
          assert.equal((await put(repositoryName, tag, broken)).status, 201)
          assert.equal((await put(repositoryName, tag, deployed)).status, 400)
        }
      })
    }
  }),
)
