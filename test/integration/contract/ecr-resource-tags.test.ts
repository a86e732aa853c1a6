/** TagResource, UntagResource and ListTagsForResource, by the AWS SDK. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Tag } from '@aws-sdk/client-ecr'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { answerOf, type EcrSession, refusalOf, startEcrSession } from '#test/support/ecr-session.ts'

const account = '000000000000'

eachDatabaseInCi(({ dialect, url }) => {
  describe(`resource tags by the SDK (${dialect})`, () => {
    let session: EcrSession
    before(async () => {
      session = await startEcrSession({ database: await url() })
    })
    after(() => session[Symbol.asyncDispose]())

    async function tagged(tags: Tag[] = []) {
      const repositoryName = await session.repository({ tags })
      return { repositoryName, resourceArn: `arn:aws:ecr:us-east-1:${account}:repository/${repositoryName}` }
    }

    test('tags are added, overwritten, taken away and listed', async () => {
      const { ecr } = session
      const { resourceArn } = await tagged([
        { Key: 'team', Value: 'a' },
        { Key: '__proto__', Value: '1' },
      ])
      const added = [
        { Key: 'team', Value: 'b' },
        { Key: 'größe / + - = : @ _ .', Value: '' },
      ]
      assert.deepEqual(await answerOf(ecr.tagResource({ resourceArn, tags: added })), {})
      assert.deepEqual(await answerOf(ecr.listTagsForResource({ resourceArn })), {
        tags: [{ Key: 'team', Value: 'b' }, { Key: '__proto__', Value: '1' }, added[1]],
      })
      const tagKeys = ['team', 'absent', '__proto__']
      assert.deepEqual(await answerOf(ecr.untagResource({ resourceArn, tagKeys })), {})
      assert.deepEqual(await answerOf(ecr.listTagsForResource({ resourceArn })), { tags: [added[1]] })
    })

    test('a tag that ECR does not take is refused, and none of its call is added', async (t) => {
      const { ecr } = session
      const { resourceArn, repositoryName } = await tagged([{ Key: 'first', Value: '' }])
      const invalid = (key: string, problem: string) => ({
        name: 'InvalidTagParameterException',
        message: `Invalid parameter at 'tags' failed to satisfy constraint: 'The tag with key ${key} ${problem}'`,
        status: 400,
      })
      const length = 'must have a key of 1 to 128 characters and a value of at most 256'
      const characters = 'must hold letters, digits, spaces and _ . : / = + - @ only'
      const cases: readonly [claim: string, tags: Tag[], refusal: object][] = [
        ["of AWS's own", [{ Key: 'AWS:x', Value: '' }], invalid('AWS:x', "must not begin with 'aws:'")],
        ['without a key', [{ Key: '', Value: 'x' }], invalid('', length)],
        ['with a long key', [{ Key: 'k'.repeat(129), Value: '' }], invalid('k'.repeat(129), length)],
        ['with a long value', [{ Key: 'k', Value: 'v'.repeat(257) }], invalid('k', length)],
        ['with other characters', [{ Key: 'a?', Value: '' }], invalid('a?', characters)],
        ['given twice', ['1', '2'].map((Value) => ({ Key: 'k', Value })), invalid('k', 'must be given once')],
        [
          'beyond fifty',
          Array.from({ length: 50 }, (_, place) => ({ Key: `k${place}`, Value: '' })),
          {
            name: 'TooManyTagsException',
            message: `The repository with name '${repositoryName}' in the registry with id '${account}' cannot have more than 50 tags`,
            status: 400,
          },
        ],
      ]
      for (const [claim, tags, refusal] of cases) {
        await t.test(claim, async () => {
          const all = [{ Key: 'ok', Value: '' }, ...tags]
          assert.deepEqual(await refusalOf(ecr.tagResource({ resourceArn, tags: all })), refusal)
        })
      }
      const { tags } = await ecr.listTagsForResource({ resourceArn })
      assert.deepEqual(tags, [{ Key: 'first', Value: '' }])
    })

    test('an ARN must be that of a repository of this region and account', async (t) => {
      const { repositoryName, resourceArn } = await tagged()
      const invalidArn = (constraint: string) => ({
        name: 'InvalidParameterException',
        message: `Invalid parameter at 'resourceArn' failed to satisfy constraint: '${constraint}'`,
        status: 400,
      })
      const foreign = `arn:aws:ecr:us-east-1:111111111111:repository/${repositoryName}`
      const cases: readonly [arn: string, refusal: (action: string) => object][] = [
        ['app', () => invalidArn('Invalid ARN')],
        [resourceArn.replace(':ecr:', ':s3:'), () => invalidArn('Invalid ARN')],
        [`${resourceArn}/`, () => invalidArn('Invalid ARN')],
        [
          resourceArn.replace('us-east-1', 'eu-west-3'),
          () => invalidArn('Invalid ARN: it must name a repository in region us-east-1'),
        ],
        [
          foreign,
          (action) => ({
            name: 'AccessDeniedException',
            message: `User: arn:aws:iam::${account}:root is not authorized to perform: ecr:${action} on resource: ${foreign} because no resource-based policy allows the ecr:${action} action`,
            status: 400,
          }),
        ],
        [
          `${resourceArn}-missing`,
          () => ({
            name: 'RepositoryNotFoundException',
            message: `The repository with name '${repositoryName}-missing' does not exist in the registry with id '${account}'`,
            status: 400,
          }),
        ],
      ]
      const { ecr } = session
      for (const [arn, refusal] of cases) {
        await t.test(arn, async () => {
          const tags = [{ Key: 'a', Value: 'b' }]
          assert.deepEqual(await refusalOf(ecr.tagResource({ resourceArn: arn, tags })), refusal('TagResource'))
          assert.deepEqual(
            await refusalOf(ecr.untagResource({ resourceArn: arn, tagKeys: ['a'] })),
            refusal('UntagResource'),
          )
          assert.deepEqual(
            await refusalOf(ecr.listTagsForResource({ resourceArn: arn })),
            refusal('ListTagsForResource'),
          )
        })
      }
    })
  })
})
