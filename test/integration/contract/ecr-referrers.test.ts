/** ListImageReferrers, by the AWS SDK. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ListImageReferrersCommandInput } from '@aws-sdk/client-ecr'
import { eachDatabase } from '#test/support/databases.ts'
import { answerOf, type EcrSession, refusalOf, startEcrSession } from '#test/support/ecr-session.ts'
import { artifact, image } from '#test/support/images/build.ts'
import { digest } from '#test/support/images/content.ts'

const byDigest = (a: { digest?: string | undefined }, b: { digest?: string | undefined }) =>
  (a.digest ?? '') < (b.digest ?? '') ? -1 : 1
const sorted = (texts: readonly (string | undefined)[]) => [...texts].sort((a = '', b = '') => (a < b ? -1 : 1))

eachDatabase(({ dialect, url }) => {
  describe(`referrers by the SDK (${dialect})`, () => {
    let session: EcrSession
    before(async () => {
      session = await startEcrSession({ database: await url() })
    })
    after(() => session[Symbol.asyncDispose]())

    type Input = Omit<ListImageReferrersCommandInput, 'repositoryName' | 'subjectId'>

    async function subjectWith(count: number) {
      const repositoryName = await session.repository()
      const app = image({ seed: repositoryName })
      const referrers = Array.from({ length: count }, (_, place) =>
        artifact({
          artifactType: place % 2 === 0 ? 'application/sbom' : 'application/signature',
          subject: app,
          blobs: [Buffer.from(String(place))],
          annotations: { place: String(place) },
        }),
      )
      for (const each of [app, ...referrers]) await session.push(repositoryName, each)
      const subjectId = { imageDigest: app.digest }
      const list = (input: Input = {}) =>
        answerOf(session.ecr.listImageReferrers({ repositoryName, subjectId, ...input }))
      return { repositoryName, subjectId, referrers, list }
    }

    test('each is described with type, size, annotations and status', async () => {
      const { referrers, list } = await subjectWith(2)
      const expected = referrers.map((each, place) => ({
        digest: each.digest,
        mediaType: each.mediaType,
        artifactType: place === 0 ? 'application/sbom' : 'application/signature',
        size: each.bytes.length,
        annotations: { place: String(place) },
        artifactStatus: 'ACTIVE',
      }))
      assert.deepEqual(await list(), { referrers: expected.sort(byDigest) })
    })

    test('the artifact type and the status filter', async () => {
      const { repositoryName, referrers, list } = await subjectWith(3)
      const [cold, signature, warm] = referrers.map((each) => each.digest)
      const imageId = { imageDigest: cold }
      await session.ecr.updateImageStorageClass({ repositoryName, imageId, targetStorageClass: 'ARCHIVE' })
      const cases = [
        [{}, [signature, warm]],
        [{ artifactStatus: 'ACTIVE' }, [signature, warm]],
        [{ artifactStatus: 'ARCHIVED' }, [cold]],
        [{ artifactStatus: 'ACTIVATING' }, []],
        [{ artifactStatus: 'ANY' }, [cold, signature, warm]],
        [{ artifactTypes: ['application/sbom'] }, [warm]],
        [
          { artifactTypes: ['application/sbom', 'application/signature'], artifactStatus: 'ANY' },
          [cold, signature, warm],
        ],
        [{ artifactTypes: ['application/x'] }, []],
        [{ artifactTypes: ['application/sbom\0'] }, []],
      ] as const
      for (const [{ ...filter }, expected] of cases) {
        const { artifactTypes, ...rest } = filter as { artifactTypes?: readonly string[] }
        const given = { ...rest, ...(artifactTypes && { artifactTypes: [...artifactTypes] }) }
        const { referrers: found = [] } = await list({ filter: given })
        assert.deepEqual(
          found.map((each) => each.digest),
          sorted(expected),
        )
      }
    })

    test('pages hold 20 by default, 50 at most, and join to the whole', async () => {
      const { referrers, list } = await subjectWith(23)
      const { referrers: first = [], nextToken } = await list()
      assert.equal(first.length, 20)
      const { referrers: second = [], nextToken: end } = await list({ nextToken })
      assert.deepEqual([second.length, end], [3, undefined])
      const whole = sorted(referrers.map((each) => each.digest))
      assert.deepEqual(
        [...first, ...second].map((each) => each.digest),
        whole,
      )
      const found: (string | undefined)[] = []
      let next: string | undefined
      do {
        const page = await list({ maxResults: 7, nextToken: next })
        found.push(...(page.referrers ?? []).map((each) => each.digest))
        next = page.nextToken
      } while (next !== undefined)
      assert.deepEqual(found, whole)
      assert.equal((await list({ maxResults: 50 })).referrers?.length, 23)

      for (const maxResults of [0, 51]) {
        assert.equal((await refusalOf(list({ maxResults }))).name, 'InvalidParameterException')
      }
      const other = { nextToken, filter: { artifactStatus: 'ANY' } } as const
      for (const input of [{ nextToken: 'nonsense' }, other]) {
        assert.deepEqual(await refusalOf(list(input)), {
          name: 'InvalidParameterException',
          message: "Invalid parameter at 'NextToken' failed to satisfy constraint: 'Invalid next token provided'",
          status: 400,
        })
      }
      const artifactTypes = ['a', 'b', 'c', 'd', 'e', 'f']
      assert.equal((await refusalOf(list({ filter: { artifactTypes } }))).name, 'InvalidParameterException')
    })

    test('a subject that is not there has none, in a repository that is', async () => {
      const { list, repositoryName } = await subjectWith(0)
      assert.deepEqual(await list(), { referrers: [] })
      for (const imageDigest of [digest(Buffer.from('absent')), 'md5:00']) {
        const subjectId = { imageDigest }
        assert.deepEqual(await answerOf(session.ecr.listImageReferrers({ repositoryName, subjectId })), {
          referrers: [],
        })
        const nowhere = await refusalOf(session.ecr.listImageReferrers({ repositoryName: 'no/where', subjectId }))
        assert.equal(nowhere.name, 'RepositoryNotFoundException')
      }
    })
  })
})
