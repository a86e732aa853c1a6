/** Put-, Get- and DeleteLifecyclePolicy, Start- and GetLifecyclePolicyPreview, by the AWS SDK. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  type GetLifecyclePolicyPreviewCommandInput,
  type LifecyclePolicyPreviewResult,
  paginateGetLifecyclePolicyPreview,
  waitUntilLifecyclePolicyPreviewComplete,
} from '@aws-sdk/client-ecr'
import { model } from '#ecr/model.ts'
import { openMetadata } from '#metadata/open.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { answerOf, type EcrSession, refusalOf, startEcrSession } from '#test/support/ecr-session.ts'
import { artifact, type Image, image, index } from '#test/support/images/build.ts'
import { digest } from '#test/support/images/content.ts'

const registryId = '000000000000'
const never = new Date(0)

const count = (countNumber: number) => ({ countType: 'imageCountMoreThan', countNumber })
const expire = { type: 'expire' }
const archive = { type: 'transition', targetStorageClass: 'archive' }
const rule = (rulePriority: number, selection: object, action: object = expire) => ({ rulePriority, selection, action })
const anyOver = (number: number, action?: object) => rule(1, { tagStatus: 'any', ...count(number) }, action)
const textOf = (...rules: object[]) => JSON.stringify({ rules })
const lifecyclePolicyText = textOf(anyOver(1))

const refused = (name: string, message: string) => ({ name, message, status: 400 })
const invalid = (member: string, constraint: string) =>
  refused('InvalidParameterException', `Invalid parameter at '${member}' failed to satisfy constraint: '${constraint}'`)
const invalidPolicy = (problem: string) =>
  invalid('LifecyclePolicyText', `Lifecycle policy validation failure: ${problem}`)
const inRepository = (name: string) => `for the repository with name '${name}' in the registry with id '${registryId}'`
const policyNotFound = (name: string) =>
  refused('LifecyclePolicyNotFoundException', `Lifecycle policy does not exist ${inRepository(name)}`)

const digestsOf = (results: readonly LifecyclePolicyPreviewResult[] = []) =>
  results.map(({ imageDigest }) => imageDigest)

eachDatabaseInCi(({ dialect, url }) => {
  describe(`lifecycle policies by the SDK (${dialect})`, () => {
    let session: EcrSession
    let database: string
    before(async () => {
      database = await url()
      session = await startEcrSession({ database })
    })
    after(() => session[Symbol.asyncDispose]())

    async function withPolicy(text = lifecyclePolicyText) {
      const repositoryName = await session.repository()
      await session.ecr.putLifecyclePolicy({ repositoryName, lifecyclePolicyText: text })
      return repositoryName
    }

    /** Images of these tags, or of none, the oldest first. */
    async function withImages(...tags: (string | undefined)[]) {
      const repositoryName = await session.repository()
      const images: Image[] = []
      for (const [place, tag] of tags.entries()) {
        const pushed = image({ seed: `${place}` })
        await session.push(repositoryName, pushed, tag)
        images.push(pushed)
      }
      return { repositoryName, digests: images.map((each) => each.digest as string) }
    }

    async function preview(repositoryName: string, text?: string) {
      await session.ecr.startLifecyclePolicyPreview({ repositoryName, lifecyclePolicyText: text })
      return finished(repositoryName)
    }

    async function finished(repositoryName: string, input: Partial<GetLifecyclePolicyPreviewCommandInput> = {}) {
      for (;;) {
        const answer = await answerOf(session.ecr.getLifecyclePolicyPreview({ repositoryName, ...input }))
        if (answer.status !== 'IN_PROGRESS') return answer
      }
    }

    test('a policy is answered as it was put, then without space, and last by its deletion', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      const pretty = JSON.stringify({ rules: [{ ...anyOver(1), description: 'keep  one' }] }, undefined, 2)
      const shown = { registryId, repositoryName, lifecyclePolicyText: pretty }
      assert.deepEqual(await answerOf(ecr.putLifecyclePolicy({ repositoryName, lifecyclePolicyText: pretty })), shown)
      const compact = { ...shown, lifecyclePolicyText: JSON.stringify(JSON.parse(pretty)), lastEvaluatedAt: never }
      assert.deepEqual(await answerOf(ecr.getLifecyclePolicy({ repositoryName })), compact)
      assert.deepEqual(await answerOf(ecr.deleteLifecyclePolicy({ repositoryName })), compact)
      assert.deepEqual(await refusalOf(ecr.getLifecyclePolicy({ repositoryName })), policyNotFound(repositoryName))
    })

    test('a put replaces, and a refused one leaves what was there', async () => {
      const { ecr } = session
      const repositoryName = await withPolicy()
      const second = textOf(anyOver(2))
      await ecr.putLifecyclePolicy({ repositoryName, lifecyclePolicyText: second })
      const broken = textOf(anyOver(3), anyOver(3))
      await assert.rejects(ecr.putLifecyclePolicy({ repositoryName, lifecyclePolicyText: broken }))
      assert.equal((await ecr.getLifecyclePolicy({ repositoryName })).lifecyclePolicyText, second)
    })

    test('a repository of the same name does not inherit policy or preview', async () => {
      const { ecr } = session
      const repositoryName = await withPolicy()
      await preview(repositoryName)
      await ecr.deleteRepository({ repositoryName })
      await ecr.createRepository({ repositoryName })
      assert.equal(
        (await refusalOf(ecr.getLifecyclePolicy({ repositoryName }))).name,
        'LifecyclePolicyNotFoundException',
      )
      assert.equal(
        (await refusalOf(ecr.getLifecyclePolicyPreview({ repositoryName }))).name,
        'LifecyclePolicyPreviewNotFoundException',
      )
    })

    test('a policy that is none is refused in the words of ECR, by put and by start', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      const padding = ' '.repeat(100)
      const tagged = (number: number, lists: object) => rule(number, { tagStatus: 'tagged', ...count(1), ...lists })
      const untagged = (number: number) => rule(number, { tagStatus: 'untagged', ...count(1) })
      const selecting = (more: object) => rule(1, { tagStatus: 'any', ...count(1), ...more })
      const cases: readonly (readonly [text: string, problem: string])[] = [
        [`${padding}{`, 'Could not map policyString into LifecyclePolicy.'],
        [
          `{"rules":[${padding}],"rules":[]}`,
          'object instance has a property which is given more than once: (["rules"])',
        ],
        [`{${padding}}`, 'object has missing required properties (["rules"])'],
        [
          JSON.stringify({ rules: [anyOver(1)], version: 1 }),
          'object instance has properties which are not allowed by the schema: (["version"])',
        ],
        [`{"rules":[${padding}]}`, 'array is too short: must have at least 1 elements but instance has 0 elements'],
        [
          textOf(...new Array(51).fill(anyOver(1))),
          'array is too long: must have at most 50 elements but instance has 51 elements',
        ],
        [
          `{"rules":["text"${padding}]}`,
          'instance type (string) does not match any allowed primitive type (allowed: ["object"])',
        ],
        [
          textOf(selecting({ tagStatus: 'all' })),
          'instance value ("all") not found in enum :(possible values: ["any","tagged","untagged"])',
        ],
        [
          textOf(anyOver(1, { type: 'delete' })),
          'instance value ("delete") not found in enum :(possible values: ["expire","transition"])',
        ],
        [textOf(anyOver(0)), 'numeric instance is lower than the required minimum (minimum: 1, found: 0)'],
        [
          textOf(anyOver(2 ** 31)),
          'numeric instance is greater than the required maximum (maximum: 2147483647, found: 2147483648)',
        ],
        [textOf(tagged(1, { tagPrefixList: [''] })), 'string "" is too short (length: 0, required minimum: 1)'],
        [
          textOf(selecting({ countType: 'sinceImagePushed' })),
          'instance failed to match exactly one schema (matched 0 out of 2)',
        ],
        [textOf(tagged(1, {})), 'Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.'],
        [
          textOf(tagged(1, { tagPrefixList: ['a'], tagPatternList: ['a'] })),
          'Must specify only one of tagPrefixList and tagPatternList when tagStatus=TAGGED.',
        ],
        [
          textOf(selecting({ tagPrefixList: ['a'] })),
          'tagPrefixList and tagPatternList can only be specified when tagStatus=TAGGED.',
        ],
        [
          textOf(tagged(1, { tagPatternList: ['a*b*c*d*e*'] })),
          'The pattern "a*b*c*d*e*" must not contain more than 4 wildcards (*)',
        ],
        [
          textOf(selecting({ storageClass: 'archive' })),
          'storageClass must be standard when countType=imageCountMoreThan',
        ],
        [
          textOf(selecting({ countType: 'sinceImagePulled', countUnit: 'days' })),
          'Action type must be transition when countType=sinceImagePulled',
        ],
        [
          textOf(selecting({ countType: 'sinceImageTransitioned', countUnit: 'days', storageClass: 'archive' })),
          'numeric instance is lower than the required minimum (minimum: 90, found: 1)',
        ],
        [textOf(anyOver(1), untagged(1)), 'Each rule must have its own rulePriority: 1 is given more than once'],
        [textOf(untagged(1), untagged(2)), 'Only one rule can select Untagged images per storage class'],
        [textOf(anyOver(1), untagged(2)), 'Rule for tagStatus=ANY must have the lowest priority per storage class'],
        [
          textOf(tagged(3, { tagPrefixList: ['a', 'b'] }), tagged(9, { tagPrefixList: ['b', 'a'] })),
          'Rules must select different tags per storage class: those with rulePriority 3 and 9 have the same list',
        ],
      ]
      for (const [text, problem] of cases) {
        const input = { repositoryName, lifecyclePolicyText: text }
        assert.deepEqual(await refusalOf(ecr.putLifecyclePolicy(input)), invalidPolicy(problem), text)
        assert.deepEqual(await refusalOf(ecr.startLifecyclePolicyPreview(input)), invalidPolicy(problem), text)
      }
      const long = await refusalOf(
        ecr.putLifecyclePolicy({ repositoryName, lifecyclePolicyText: textOf(selecting({ ['x'.repeat(20_000)]: 1 })) }),
      )
      assert.ok(long.message.length < 1_500)
    })

    test('the length of the text is bounded, as it is sent', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      const put = (text: string) => ecr.putLifecyclePolicy({ repositoryName, lifecyclePolicyText: text })
      assert.deepEqual(
        await refusalOf(put('{"rules":[]}')),
        invalid('lifecyclePolicyText', 'Member must have length greater than or equal to 100'),
      )
      assert.deepEqual(
        await refusalOf(put(lifecyclePolicyText.padEnd(30_721))),
        invalid('lifecyclePolicyText', 'Member must have length less than or equal to 30720'),
      )
      await put(lifecyclePolicyText.padEnd(30_720))
    })

    test('no operation knows a repository that there is not', async () => {
      const { ecr } = session
      const input = { repositoryName: 'no/such' }
      const notFound = refused(
        'RepositoryNotFoundException',
        `The repository with name 'no/such' does not exist in the registry with id '${registryId}'`,
      )
      assert.deepEqual(await refusalOf(ecr.putLifecyclePolicy({ ...input, lifecyclePolicyText })), notFound)
      assert.deepEqual(await refusalOf(ecr.getLifecyclePolicy(input)), notFound)
      assert.deepEqual(await refusalOf(ecr.deleteLifecyclePolicy(input)), notFound)
      assert.deepEqual(await refusalOf(ecr.startLifecyclePolicyPreview(input)), notFound)
      assert.deepEqual(await refusalOf(ecr.startLifecyclePolicyPreview({ ...input, lifecyclePolicyText })), notFound)
      assert.deepEqual(await refusalOf(ecr.getLifecyclePolicyPreview(input)), notFound)
    })

    test('what a repository has not got is not found', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      const input = { repositoryName }
      const missing = policyNotFound(repositoryName)
      assert.deepEqual(await refusalOf(ecr.getLifecyclePolicy(input)), missing)
      assert.deepEqual(await refusalOf(ecr.deleteLifecyclePolicy(input)), missing)
      assert.deepEqual(await refusalOf(ecr.startLifecyclePolicyPreview(input)), missing)
      assert.deepEqual(
        await refusalOf(ecr.getLifecyclePolicyPreview(input)),
        refused(
          'LifecyclePolicyPreviewNotFoundException',
          `Lifecycle policy preview does not exist ${inRepository(repositoryName)}`,
        ),
      )
    })

    test('a preview of the policy given says what it would do, the waiter sees it end, and nothing is done', async () => {
      const { ecr } = session
      const { repositoryName, digests } = await withImages('v1', undefined, 'v2', 'v3')
      const pretty = JSON.stringify(JSON.parse(textOf(anyOver(1))), undefined, 2)
      assert.deepEqual(
        await answerOf(ecr.startLifecyclePolicyPreview({ repositoryName, lifecyclePolicyText: pretty })),
        { registryId, repositoryName, lifecyclePolicyText: pretty, status: 'IN_PROGRESS' },
      )
      const waiter = { client: ecr, maxWaitTime: 20, minDelay: 1, maxDelay: 1 }
      const { state } = await waitUntilLifecyclePolicyPreviewComplete(waiter, { repositoryName })
      assert.equal(state, 'SUCCESS')

      const { imageDetails = [] } = await ecr.describeImages({ repositoryName })
      assert.equal(imageDetails.length, 4)
      const pushedAt = new Map(imageDetails.map(({ imageDigest, imagePushedAt }) => [imageDigest, imagePushedAt]))
      const tags = [['v1'], [], ['v2']]
      const answer = await answerOf(ecr.getLifecyclePolicyPreview({ repositoryName }))
      assert.deepEqual(answer, {
        registryId,
        repositoryName,
        lifecyclePolicyText: pretty,
        status: 'COMPLETE',
        previewResults: digests.slice(0, 3).map((imageDigest, place) => ({
          imageTags: tags[place],
          imageDigest,
          imagePushedAt: pushedAt.get(imageDigest),
          action: { type: 'EXPIRE' },
          appliedRulePriority: 1,
          storageClass: 'STANDARD',
        })),
        summary: { expiringImageTotalCount: 3 },
      })
      assert.deepEqual(await refusalOf(ecr.getLifecyclePolicy({ repositoryName })), policyNotFound(repositoryName))
    })

    test('without a text the policy of the repository is previewed, and is not thereby evaluated', async () => {
      const { repositoryName, digests } = await withImages('v1', 'v2')
      await session.ecr.putLifecyclePolicy({ repositoryName, lifecyclePolicyText: textOf(anyOver(1, archive)) })
      const { previewResults, summary } = await preview(repositoryName)
      assert.deepEqual(digestsOf(previewResults), digests.slice(0, 1))
      assert.deepEqual(previewResults?.[0]?.action, { type: 'TRANSITION', targetStorageClass: 'ARCHIVE' })
      assert.deepEqual(summary, {
        expiringImageTotalCount: 0,
        transitioningImageTotalCounts: [{ targetStorageClass: 'ARCHIVE', imageTotalCount: 1 }],
      })
      const { lastEvaluatedAt } = await session.ecr.getLifecyclePolicy({ repositoryName })
      assert.deepEqual(lastEvaluatedAt, never)
    })

    test('archived images have rules of their own', async () => {
      const { ecr } = session
      const { repositoryName, digests } = await withImages('v1', 'v2', 'v3')
      const [oldest = '', ...others] = digests
      const imageId = { imageDigest: oldest }
      await ecr.updateImageStorageClass({ repositoryName, imageId, targetStorageClass: 'ARCHIVE' })
      const { previewResults } = await preview(repositoryName, textOf(anyOver(1)))
      assert.deepEqual(digestsOf(previewResults), others.slice(0, 1))
    })

    test('an index goes before its children, and a signature with what it signs', async () => {
      const repositoryName = await session.repository()
      const child = image({ seed: 'child' })
      const parent = index({ children: [child] })
      const kept = image({ seed: 'kept' })
      const sign = (subject: Image, seed: string) =>
        artifact({ artifactType: 'application/vnd.test.signature', subject, blobs: [Buffer.from(seed)] })
      const [signature, keptSignature] = [sign(parent, 'parent'), sign(kept, 'kept')]
      await session.push(repositoryName, parent, 'old')
      await session.push(repositoryName, signature)
      await session.push(repositoryName, kept, 'new')
      await session.push(repositoryName, keptSignature)

      const blocked = await preview(repositoryName, textOf(rule(1, { tagStatus: 'untagged', ...count(1) })))
      assert.deepEqual(blocked.previewResults, [])
      const { previewResults } = await preview(repositoryName, textOf(anyOver(1)))
      const found = digestsOf(previewResults)
      assert.deepEqual(new Set(found), new Set([parent.digest, child.digest, signature.digest]))
      assert.ok(found.indexOf(parent.digest) < found.indexOf(child.digest))
    })

    test('results come by page, by tags and by image', async () => {
      const { ecr } = session
      const { repositoryName, digests } = await withImages('v1', undefined, 'v2', undefined, 'v3', 'last')
      const going = digests.slice(0, 5)
      const { previewResults } = await preview(repositoryName, lifecyclePolicyText)
      assert.deepEqual(digestsOf(previewResults), going)

      for (const pageSize of [1, 2, 5]) {
        const pages: (string | undefined)[][] = []
        for await (const page of paginateGetLifecyclePolicyPreview({ client: ecr, pageSize }, { repositoryName })) {
          assert.equal(page.summary?.expiringImageTotalCount, 5)
          pages.push(digestsOf(page.previewResults))
        }
        assert.deepEqual(pages.flat(), going)
        assert.equal(pages.length, Math.ceil(5 / pageSize))
      }
      const ask = async (input: Partial<GetLifecyclePolicyPreviewCommandInput>) =>
        digestsOf((await ecr.getLifecyclePolicyPreview({ repositoryName, ...input })).previewResults)
      assert.deepEqual(await ask({ filter: { tagStatus: 'TAGGED' } }), [going[0], going[2], going[4]])
      assert.deepEqual(await ask({ filter: { tagStatus: 'UNTAGGED' } }), [going[1], going[3]])
      assert.deepEqual(await ask({ filter: { tagStatus: 'ANY' } }), going)
      const imageIds = [
        { imageTag: 'v2' },
        { imageDigest: going[1] },
        { imageDigest: going[0], imageTag: 'v1' },
        { imageDigest: going[3], imageTag: 'v3' },
        { imageTag: 'last' },
        { imageTag: 'absent' },
        { imageDigest: digest(Buffer.from('absent')) },
      ]
      assert.deepEqual(await ask({ imageIds }), going.slice(0, 3))
      assert.deepEqual(await ask({ imageIds, filter: { tagStatus: 'TAGGED' } }), [going[0], going[2]])
    })

    test('what cannot be asked of a preview is refused', async () => {
      const { ecr } = session
      const { repositoryName } = await withImages('v1', 'v2', 'v3')
      await preview(repositoryName, lifecyclePolicyText)
      const ask = (input: Partial<GetLifecyclePolicyPreviewCommandInput>) =>
        refusalOf(ecr.getLifecyclePolicyPreview({ repositoryName, ...input }))
      const imageIds = [{ imageTag: 'v1' }]
      const atOnce = 'must not be given together with imageIds'
      assert.deepEqual(await ask({ imageIds, maxResults: 1 }), invalid('maxResults', atOnce))
      assert.deepEqual(await ask({ imageIds, nextToken: 'x' }), invalid('nextToken', atOnce))
      assert.deepEqual(
        await ask({ imageIds: [{}] }),
        invalid('imageIds', 'Invalid request parameters: both tag and digest cannot be null'),
      )
      const tooLow = 'Member must have value greater than or equal to 1'
      assert.deepEqual(await ask({ maxResults: 0 }), invalid('maxResults', tooLow))
      const tooHigh = 'Member must have value less than or equal to 100'
      assert.deepEqual(await ask({ maxResults: 101 }), invalid('maxResults', tooHigh))

      const badToken = invalid('NextToken', 'Invalid next token provided')
      assert.deepEqual(await ask({ nextToken: 'x' }), badToken)
      const { nextToken } = await ecr.getLifecyclePolicyPreview({ repositoryName, maxResults: 1 })
      assert.ok(nextToken)
      assert.deepEqual(await ask({ nextToken, filter: { tagStatus: 'TAGGED' } }), badToken)
      await preview(repositoryName, lifecyclePolicyText)
      assert.deepEqual(await ask({ nextToken }), badToken, 'of the preview before')
    })

    test('while a preview is in progress none starts, and what has been found so far is not shown', async () => {
      const { ecr } = session
      const { repositoryName } = await withImages('v1', 'v2')
      await preview(repositoryName, lifecyclePolicyText)
      const metadata = await openMetadata(database, assert.fail)
      const setStatus = (status: string) =>
        metadata.transaction((trx) => trx.updateTable('lifecycle_preview').set({ status }).execute())
      try {
        await setStatus('IN_PROGRESS')
        assert.deepEqual(
          await refusalOf(ecr.startLifecyclePolicyPreview({ repositoryName, lifecyclePolicyText })),
          refused(
            'LifecyclePolicyPreviewInProgressException',
            `Lifecycle policy preview is in progress ${inRepository(repositoryName)}. Wait for it to complete and try again.`,
          ),
        )
        const answer = { registryId, repositoryName, lifecyclePolicyText, previewResults: [] }
        assert.deepEqual(await answerOf(ecr.getLifecyclePolicyPreview({ repositoryName })), {
          ...answer,
          status: 'IN_PROGRESS',
        })
        await setStatus('FAILED')
        assert.deepEqual(await answerOf(ecr.getLifecyclePolicyPreview({ repositoryName })), {
          ...answer,
          status: 'FAILED',
        })
        const waiter = { client: ecr, maxWaitTime: 20, minDelay: 1, maxDelay: 1 }
        await assert.rejects(waitUntilLifecyclePolicyPreviewComplete(waiter, { repositoryName }), /FAILURE/)
      } finally {
        await metadata.close()
      }
    })

    test('a repository that a template makes has the policy of the template', async () => {
      const { ecr } = session
      const prefix = 'lifecycle-template'
      const template = { prefix, appliedFor: ['CREATE_ON_PUSH' as const] }
      assert.deepEqual(
        await refusalOf(ecr.createRepositoryCreationTemplate({ ...template, lifecyclePolicy: '{"rules":[]}' })),
        invalid('lifecyclePolicy', 'Invalid lifecycle policy provided'),
      )
      await ecr.createRepositoryCreationTemplate({ ...template, lifecyclePolicy: lifecyclePolicyText })
      const { authorizationData } = await ecr.getAuthorizationToken({})
      const response = await fetch(`${session.server.url}/v2/${prefix}/app/blobs/uploads/`, {
        method: 'POST',
        headers: { authorization: `Basic ${authorizationData?.[0]?.authorizationToken}` },
      })
      assert.equal(response.status, 202)
      const shown = await ecr.getLifecyclePolicy({ repositoryName: `${prefix}/app` })
      assert.equal(shown.lifecyclePolicyText, lifecyclePolicyText)
    })

    test('another account has its own repositories alone', async () => {
      const repositoryName = await withPolicy()
      const other = session.client({ credentials: await session.server.addAccount('111111111111') })
      assert.equal((await refusalOf(other.getLifecyclePolicy({ repositoryName }))).name, 'RepositoryNotFoundException')
    })
  })
})

test('every exception that the model lists for these operations is shown here, but those that no handler can give', () => {
  const shown = [
    'InvalidParameterException',
    'LifecyclePolicyNotFoundException',
    'LifecyclePolicyPreviewInProgressException',
    'LifecyclePolicyPreviewNotFoundException',
    'RepositoryNotFoundException',
  ]
  const listed = Object.entries(model.operations)
    .filter(([name]) => name.includes('LifecyclePolicy'))
    .flatMap(([, { errors }]) => errors)
  // A failure of the server, and an exception that ECR has no cause for.
  const never = ['ServerException', 'ValidationException']
  assert.deepEqual(new Set(listed), new Set([...shown, ...never]))
})
