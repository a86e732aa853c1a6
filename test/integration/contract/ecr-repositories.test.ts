/** CreateRepository, DescribeRepositories, DeleteRepository and PutImageTagMutability, by the AWS SDK. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type CreateRepositoryCommandInput, paginateDescribeRepositories } from '@aws-sdk/client-ecr'
import fc from 'fast-check'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { answerOf, type EcrSession, refusalOf, startEcrSession } from '#test/support/ecr-session.ts'
import { image } from '#test/support/images/build.ts'

const account = '000000000000'
const namePattern = '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*'

function invalid(member: string, constraint: string) {
  const message = `Invalid parameter at '${member}' failed to satisfy constraint: '${constraint}'`
  return { name: 'InvalidParameterException', message, status: 400 }
}

eachDatabaseInCi(({ dialect, url }) => {
  describe(`repositories by the SDK (${dialect})`, () => {
    let session: EcrSession
    before(async () => {
      session = await startEcrSession({ database: await url() })
    })
    after(() => session[Symbol.asyncDispose]())

    test('a repository is created with defaults, and every field of it is answered', async () => {
      const { ecr, server } = session
      const startedAt = Date.now()
      const { repository } = await answerOf(ecr.createRepository({ repositoryName: 'defaults/app' }))
      const { createdAt, ...fields } = repository ?? {}
      assert.ok(createdAt && createdAt.getTime() >= startedAt && createdAt.getTime() <= Date.now())
      assert.deepEqual(fields, {
        repositoryArn: `arn:aws:ecr:us-east-1:${account}:repository/defaults/app`,
        registryId: account,
        repositoryName: 'defaults/app',
        repositoryUri: `${server.host}/defaults/app`,
        imageTagMutability: 'MUTABLE',
        imageScanningConfiguration: { scanOnPush: false },
        encryptionConfiguration: { encryptionType: 'AES256' },
      })
      const described = await answerOf(ecr.describeRepositories({ repositoryNames: ['defaults/app'] }))
      assert.deepEqual(described, { repositories: [repository] })
    })

    test('a repository keeps the settings that it was created with', async () => {
      const imageTagMutabilityExclusionFilters = [{ filterType: 'WILDCARD', filter: 'dev-*' } as const]
      const { repository } = await session.ecr.createRepository({
        repositoryName: 'settings',
        registryId: account,
        imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
        imageTagMutabilityExclusionFilters,
        imageScanningConfiguration: { scanOnPush: true },
        encryptionConfiguration: { encryptionType: 'KMS', kmsKey: 'alias/mine' },
        tags: [{ Key: 'team', Value: 'a' }],
      })
      const { repositories } = await session.ecr.describeRepositories({ repositoryNames: ['settings'] })
      assert.deepEqual(repositories, [repository])
      const { createdAt, repositoryArn, repositoryUri, ...settings } = repository ?? {}
      assert.deepEqual(settings, {
        registryId: account,
        repositoryName: 'settings',
        imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
        imageTagMutabilityExclusionFilters,
        imageScanningConfiguration: { scanOnPush: true },
        encryptionConfiguration: { encryptionType: 'KMS', kmsKey: `arn:aws:kms:us-east-1:${account}:alias/mine` },
      })
      const { tags } = await session.ecr.listTagsForResource({ resourceArn: repositoryArn })
      assert.deepEqual(tags, [{ Key: 'team', Value: 'a' }])
    })

    const refusedCreations: readonly [claim: string, input: Partial<CreateRepositoryCommandInput>, refusal: object][] =
      [
        [
          'that exists',
          { repositoryName: 'taken' },
          {
            name: 'RepositoryAlreadyExistsException',
            message: `The repository with name 'taken' already exists in the registry with id '${account}'`,
            status: 400,
          },
        ],
        [
          'whose name is none',
          { repositoryName: 'Upper' },
          invalid('repositoryName', `must satisfy regular expression '${namePattern}'`),
        ],
        [
          'of another account',
          { registryId: '111111111111' },
          {
            name: 'AccessDeniedException',
            message: `User: arn:aws:iam::${account}:root is not authorized to perform: ecr:CreateRepository on resource: arn:aws:ecr:us-east-1:111111111111:repository/refused because no resource-based policy allows the ecr:CreateRepository action`,
            status: 400,
          },
        ],
        [
          'with filters in a mode that takes none',
          { imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'v*' }] },
          invalid(
            'imageTagMutabilityExclusionFilters',
            "ImageTagMutabilityExclusionFilters can't be given when imageTagMutability is set as MUTABLE",
          ),
        ],
        [
          'without filters in a mode that needs them',
          { imageTagMutability: 'MUTABLE_WITH_EXCLUSION' },
          invalid(
            'imageTagMutabilityExclusionFilters',
            "ImageTagMutabilityExclusionFilters can't be null when imageTagMutability is set as MUTABLE_WITH_EXCLUSION",
          ),
        ],
        [
          'with a filter of three wildcards',
          {
            imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
            imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: '*a*b*' }],
          },
          invalid(
            'imageTagMutabilityExclusionFilters',
            'The filter *a*b* must not contain more than two wildcards (*)',
          ),
        ],
        [
          'with a key that its encryption does not take',
          { encryptionConfiguration: { encryptionType: 'AES256', kmsKey: 'alias/mine' } },
          invalid('kmsKey', "kmsKey can't be given when encryptionType is set as AES256"),
        ],
        [
          'with a key that is none',
          { encryptionConfiguration: { encryptionType: 'KMS', kmsKey: 'a\0b' } },
          invalid('kmsKey', 'must be the id, the alias or the ARN of a key in region us-east-1'),
        ],
        [
          "with a tag of AWS's own",
          { tags: [{ Key: 'aws:team', Value: 'a' }] },
          {
            name: 'InvalidTagParameterException',
            message: `Invalid parameter at 'tags' failed to satisfy constraint: 'The tag with key aws:team must not begin with 'aws:''`,
            status: 400,
          },
        ],
        [
          'with 51 tags',
          { tags: Array.from({ length: 51 }, (_, index) => ({ Key: `key-${index}`, Value: '' })) },
          {
            name: 'TooManyTagsException',
            message: `The repository with name 'refused' in the registry with id '${account}' cannot have more than 50 tags`,
            status: 400,
          },
        ],
      ]
    test('what cannot be created is refused, and nothing is created', async (t) => {
      const { ecr } = session
      await ecr.createRepository({ repositoryName: 'taken' })
      for (const [claim, input, refusal] of refusedCreations) {
        await t.test(`a repository ${claim}`, async () => {
          assert.deepEqual(await refusalOf(ecr.createRepository({ repositoryName: 'refused', ...input })), refusal)
        })
      }
      const { name } = await refusalOf(ecr.describeRepositories({ repositoryNames: ['refused'] }))
      assert.equal(name, 'RepositoryNotFoundException')
    })

    test('repositories asked for by name are answered, or the one that is missing', async () => {
      const { ecr } = session
      const names = [await session.repository(), await session.repository()].reverse()
      const { repositories } = await ecr.describeRepositories({ repositoryNames: [...names, ...names] })
      assert.deepEqual(
        repositories?.map(({ repositoryName }) => repositoryName),
        names,
      )
      assert.deepEqual(await refusalOf(ecr.describeRepositories({ repositoryNames: [...names, 'missing/app'] })), {
        name: 'RepositoryNotFoundException',
        message: `The repository with name 'missing/app' does not exist in the registry with id '${account}'`,
        status: 400,
      })
    })

    test('names and paging do not go together, and a token is good for its own listing alone', async () => {
      const { ecr } = session
      const names = [await session.repository(), await session.repository()]
      assert.deepEqual(
        await refusalOf(ecr.describeRepositories({ repositoryNames: names, maxResults: 1 })),
        invalid('maxResults', 'must not be given together with repositoryNames'),
      )
      assert.deepEqual(
        await refusalOf(ecr.describeRepositories({ repositoryNames: names, nextToken: 'x' })),
        invalid('nextToken', 'must not be given together with repositoryNames'),
      )
      const { nextToken } = await ecr.describeRepositories({ maxResults: 1 })
      assert.ok(nextToken)
      const badToken = invalid('NextToken', 'Invalid next token provided')
      for (const token of ['', 'x', `${nextToken}x`, Buffer.from('["a","b"]').toString('base64url')]) {
        assert.deepEqual(await refusalOf(ecr.describeRepositories({ nextToken: token })), badToken)
      }
      const elsewhere = session.client({ region: 'eu-west-3' })
      assert.deepEqual(await refusalOf(elsewhere.describeRepositories({ nextToken })), badToken)
      assert.deepEqual(
        await refusalOf(ecr.describeRepositories({ maxResults: 1001 })),
        invalid('maxResults', 'Member must have value less than or equal to 1000'),
      )
    })

    test("a registry is one account's in one region", async () => {
      const repositoryName = await session.repository()
      const other = session.client({ credentials: await session.server.addAccount('222222222222') })
      const elsewhere = session.client({ region: 'eu-west-3' })
      for (const client of [other, elsewhere]) {
        assert.deepEqual(await answerOf(client.describeRepositories({})), { repositories: [] })
        const { name } = await refusalOf(client.describeRepositories({ repositoryNames: [repositoryName] }))
        assert.equal(name, 'RepositoryNotFoundException')
      }
      const { repository } = await elsewhere.createRepository({ repositoryName })
      assert.equal(repository?.repositoryArn, `arn:aws:ecr:eu-west-3:${account}:repository/${repositoryName}`)

      const denied = await refusalOf(other.describeRepositories({ registryId: account }))
      assert.deepEqual(denied, {
        name: 'AccessDeniedException',
        message: `User: arn:aws:iam::222222222222:root is not authorized to perform: ecr:DescribeRepositories on resource: arn:aws:ecr:us-east-1:${account}:repository/* because no resource-based policy allows the ecr:DescribeRepositories action`,
        status: 400,
      })
      const missing = await refusalOf(other.describeRepositories({ registryId: account, repositoryNames: ['missing'] }))
      const present = await refusalOf(
        other.describeRepositories({ registryId: account, repositoryNames: [repositoryName] }),
      )
      assert.deepEqual(
        { ...missing, message: missing.message.replace('/missing', '/*') },
        { ...present, message: present.message.replace(`/${repositoryName}`, '/*') },
        'who may not see a repository does not learn whether it is there',
      )
    })

    test('pages joined are the whole, while repositories come and go', async () => {
      const region = 'eu-north-1'
      const client = session.client({ region })
      const stay = Array.from({ length: 12 }, (_, index) => `stay/${String(index).padStart(2, '0')}`)
      for (const repositoryName of stay) await client.createRepository({ repositoryName })
      let writes = 0
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 14 }), async (pageSize) => {
          const seen: string[] = []
          for await (const page of paginateDescribeRepositories({ client, pageSize }, {})) {
            assert.ok((page.repositories?.length ?? 0) <= pageSize)
            seen.push(...(page.repositories ?? []).flatMap(({ repositoryName = '' }) => repositoryName))
            const passing = { repositoryName: `${++writes % 2 ? 'before' : 'tail'}/${writes}` }
            await client.createRepository(passing)
            if (writes % 3 === 0) await client.deleteRepository(passing)
          }
          assert.deepEqual(
            seen.filter((name) => name.startsWith('stay/')),
            stay,
          )
          assert.equal(new Set(seen).size, seen.length)
        }),
        { numRuns: 8 },
      )
    })

    test('an empty repository is deleted and answered as it was, with its tags', async () => {
      const { ecr } = session
      const { repository } = await ecr.createRepository({ repositoryName: 'gone', tags: [{ Key: 'a', Value: 'b' }] })
      const deleted = await answerOf(ecr.deleteRepository({ repositoryName: 'gone' }))
      assert.deepEqual(deleted, { repository })
      const missing = {
        name: 'RepositoryNotFoundException',
        message: `The repository with name 'gone' does not exist in the registry with id '${account}'`,
        status: 400,
      }
      assert.deepEqual(await refusalOf(ecr.deleteRepository({ repositoryName: 'gone' })), missing)
      await ecr.createRepository({ repositoryName: 'gone' })
      const { tags } = await ecr.listTagsForResource({ resourceArn: repository?.repositoryArn })
      assert.deepEqual(tags, [])
    })

    test('a repository with images is deleted only by force, and its images with it', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      await session.push(repositoryName, image(), 'v1')
      assert.deepEqual(await refusalOf(ecr.deleteRepository({ repositoryName })), {
        name: 'RepositoryNotEmptyException',
        message: `The repository with name '${repositoryName}' in registry with id '${account}' cannot be deleted because it still contains images`,
        status: 400,
      })
      await ecr.deleteRepository({ repositoryName, force: true })
      await ecr.createRepository({ repositoryName })
      assert.deepEqual(await answerOf(ecr.listImages({ repositoryName })), { imageIds: [] })
    })

    test('mode and filters of tag mutability are replaced together', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      const imageTagMutabilityExclusionFilters = [
        { filterType: 'WILDCARD', filter: 'latest' } as const,
        { filterType: 'WILDCARD', filter: 'v*.beta' } as const,
      ]
      const withFilters = { imageTagMutability: 'MUTABLE_WITH_EXCLUSION', imageTagMutabilityExclusionFilters } as const
      const settings = { registryId: account, repositoryName }
      assert.deepEqual(await answerOf(ecr.putImageTagMutability({ repositoryName, ...withFilters })), {
        ...settings,
        ...withFilters,
      })
      assert.deepEqual(await answerOf(ecr.putImageTagMutability({ repositoryName, imageTagMutability: 'IMMUTABLE' })), {
        ...settings,
        imageTagMutability: 'IMMUTABLE',
      })
      const { repositories = [] } = await ecr.describeRepositories({ repositoryNames: [repositoryName] })
      const { imageTagMutability, imageTagMutabilityExclusionFilters: left } = repositories[0] ?? {}
      assert.deepEqual([imageTagMutability, left], ['IMMUTABLE', undefined])

      assert.deepEqual(
        await refusalOf(ecr.putImageTagMutability({ repositoryName, ...withFilters, imageTagMutability: 'IMMUTABLE' })),
        invalid(
          'imageTagMutabilityExclusionFilters',
          "ImageTagMutabilityExclusionFilters can't be given when imageTagMutability is set as IMMUTABLE",
        ),
      )
      const { name } = await refusalOf(
        ecr.putImageTagMutability({ repositoryName: 'missing/app', imageTagMutability: 'MUTABLE' }),
      )
      assert.equal(name, 'RepositoryNotFoundException')
    })
  })
})
