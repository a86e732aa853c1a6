/**
 * Paginators and waiters, of the AWS SDK for JavaScript and of boto3, over 1,000 repositories and 10,000 images: whatever the size
 * of its pages, a listing has everything once.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, before, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  paginateDescribeImageScanFindings,
  paginateDescribeImages,
  paginateDescribePullThroughCacheRules,
  paginateDescribeRepositories,
  paginateDescribeRepositoryCreationTemplates,
  paginateGetLifecyclePolicyPreview,
  paginateListImages,
  waitUntilImageScanComplete,
  waitUntilLifecyclePolicyPreviewComplete,
} from '@aws-sdk/client-ecr'
import { IAM, paginateGetGroup, paginateListPolicies, paginateListUsers } from '@aws-sdk/client-iam'
import { type EcrSession, refusalOf, startEcrSession } from '#test/support/ecr-session.ts'
import { image } from '#test/support/images/build.ts'
import { fillRepository } from '#test/support/many-images.ts'
import { findProgram, inContinuousIntegration, run } from '#test/support/run.ts'
import type { RunningServer } from '#test/support/server.ts'
import model from '../../src/ecr/model.json' with { type: 'json' }

const repositoryCount = 1_000
const imageCount = 10_000
const sizes = [1_000, 100, 37]

const script = fileURLToPath(new URL('../fixtures/boto3/paginate.py', import.meta.url))

/** A listing, as both SDKs are told of it. */
interface Listing {
  readonly service: 'ecr' | 'iam'
  /** As boto3 calls it. */
  readonly paginator: string
  readonly input: Readonly<Record<string, unknown>>
  readonly pages: (pageSize: number) => AsyncIterable<object>
  /** The member of a page that has the items, and the member of an item that no other has alike. */
  readonly result: string
  readonly key: string
  readonly expected: ReadonlySet<string>
  /** Of pages, where the operation does not allow all. */
  readonly pageSizes?: readonly number[]
}

interface Listed {
  readonly keys: readonly string[]
  readonly longest: number
}

suite('paginators and waiters', { timeout: 300_000 }, () => {
  let session: EcrSession
  let iam: IAM
  let listings: readonly Listing[]
  let scanned: { repositoryName: string; imageId: { imageDigest: string } }

  before(async () => {
    let ahead = 0
    session = await startEcrSession({ clock: () => Date.now() + ahead })
    const { ecr, server } = session
    iam = new IAM({ endpoint: server.url, region: server.region, credentials: server.credentials })
    const repositoryName = 'many/images'
    const repositories = [repositoryName, ...numbered(repositoryCount - 1, 'many/repository')]
    await all(repositories, (name) => ecr.createRepository({ repositoryName: name }))
    const older = fillRepository(`${server.dataDir}/lading.db`, repositoryName, imageCount - 1)
    ahead = 1_000
    const last = image({ seed: 'newest' })
    await session.push(repositoryName, last, 'newest')
    const newest = last.digest
    const images = new Map([...older.map((digest, place) => [`v${place}`, digest] as const), ['newest', newest]])
    scanned = { repositoryName, imageId: { imageDigest: newest } }
    const lifecyclePolicyText = JSON.stringify({
      rules: [
        {
          rulePriority: 1,
          selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 1 },
          action: { type: 'expire' },
        },
      ],
    })
    await ecr.startLifecyclePolicyPreview({ repositoryName, lifecyclePolicyText })

    const upstreamRegistryUrl = 'public.ecr.aws'
    const prefixes = numbered(50, 'cache')
    await all(prefixes, (ecrRepositoryPrefix) =>
      ecr.createPullThroughCacheRule({ ecrRepositoryPrefix, upstreamRegistryUrl }),
    )
    const templates = numbered(100, 'template')
    await all(templates, (prefix) => ecr.createRepositoryCreationTemplate({ prefix, appliedFor: ['CREATE_ON_PUSH'] }))
    const users = numbered(250, 'user')
    const policies = numbered(120, 'policy')
    const GroupName = 'everybody'
    await iam.createGroup({ GroupName })
    await all(users, async (UserName) => {
      await iam.createUser({ UserName })
      await iam.addUserToGroup({ GroupName, UserName })
    })
    await all(policies, (PolicyName) => iam.createPolicy({ PolicyName, PolicyDocument }))

    const ofEcr = { service: 'ecr', input: {} } as const
    const ofIam = { service: 'iam', input: {} } as const
    const tags = new Set(images.keys())
    const digests = new Set(images.values())
    const ecrPages = (pageSize: number) => ({ client: ecr, pageSize })
    const iamPages = (pageSize: number) => ({ client: iam, pageSize })
    listings = [
      {
        ...ofEcr,
        paginator: 'describe_repositories',
        pages: (size) => paginateDescribeRepositories(ecrPages(size), {}),
        result: 'repositories',
        key: 'repositoryName',
        expected: new Set(repositories),
      },
      {
        ...ofEcr,
        paginator: 'list_images',
        input: { repositoryName },
        pages: (size) => paginateListImages(ecrPages(size), { repositoryName }),
        result: 'imageIds',
        key: 'imageTag',
        expected: tags,
      },
      {
        ...ofEcr,
        paginator: 'describe_images',
        input: { repositoryName },
        pages: (size) => paginateDescribeImages(ecrPages(size), { repositoryName }),
        result: 'imageDetails',
        key: 'imageDigest',
        expected: digests,
      },
      {
        ...ofEcr,
        paginator: 'get_lifecycle_policy_preview',
        input: { repositoryName },
        pages: (size) => paginateGetLifecyclePolicyPreview(ecrPages(size), { repositoryName }),
        result: 'previewResults',
        key: 'imageDigest',
        expected: new Set([...digests].filter((digest) => digest !== newest)),
        pageSizes: [100, 37],
      },
      {
        ...ofEcr,
        paginator: 'describe_pull_through_cache_rules',
        pages: (size) => paginateDescribePullThroughCacheRules(ecrPages(size), {}),
        result: 'pullThroughCacheRules',
        key: 'ecrRepositoryPrefix',
        expected: new Set(prefixes),
      },
      {
        ...ofEcr,
        paginator: 'describe_repository_creation_templates',
        pages: (size) => paginateDescribeRepositoryCreationTemplates(ecrPages(size), {}),
        result: 'repositoryCreationTemplates',
        key: 'prefix',
        expected: new Set(templates),
      },
      {
        ...ofIam,
        paginator: 'list_users',
        pages: (size) => paginateListUsers(iamPages(size), {}),
        result: 'Users',
        key: 'UserName',
        expected: new Set(users),
      },
      {
        ...ofIam,
        paginator: 'get_group',
        input: { GroupName },
        pages: (size) => paginateGetGroup(iamPages(size), { GroupName }),
        result: 'Users',
        key: 'UserName',
        expected: new Set(users),
      },
      {
        ...ofIam,
        paginator: 'list_policies',
        input: { Scope: 'Local' },
        pages: (size) => paginateListPolicies(iamPages(size), { Scope: 'Local' }),
        result: 'Policies',
        key: 'PolicyName',
        expected: new Set(policies),
      },
    ]
  })
  after(async () => {
    iam.destroy()
    await session[Symbol.asyncDispose]()
  })

  /** What the lists of both SDKs are held to; the model has no paginator that is not among them. */
  function assertWhole({ paginator, expected }: Listing, pageSize: number, { keys, longest }: Listed): void {
    const what = `${paginator} by ${pageSize}`
    assert.equal(keys.length, expected.size, what)
    assert.deepEqual(new Set(keys), expected, what)
    assert.equal(longest, Math.min(pageSize, expected.size), what)
  }

  const cases = () =>
    listings.flatMap((listing) => (listing.pageSizes ?? sizes).map((pageSize) => ({ listing, pageSize })))

  test('every paginator of the API model is gone through here', () => {
    const gone = new Set(listings.flatMap(({ service, paginator }) => (service === 'ecr' ? [paginator] : [])))
    const named = Object.keys(model.paginators).map((name) => name.replace(/\B[A-Z]/g, '_$&').toLowerCase())
    // An image that was never scanned has no findings: a test of its own.
    assert.deepEqual(gone.add('describe_image_scan_findings'), new Set(named))
  })

  test("the JavaScript SDK's waiter sees that the preview of a lifecycle policy is complete", async () => {
    const { repositoryName } = scanned
    const waiting = { client: session.ecr, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }
    const { state } = await waitUntilLifecyclePolicyPreviewComplete(waiting, { repositoryName })
    assert.equal(state, 'SUCCESS')
  })

  test("the JavaScript SDK's paginators list everything once", async () => {
    for (const { listing, pageSize } of cases()) {
      const keys: string[] = []
      let longest = 0
      for await (const page of listing.pages(pageSize)) {
        const items = itemsOf(page, listing.result)
        keys.push(...items.map((item) => String(item[listing.key])))
        longest = Math.max(longest, items.length)
      }
      assertWhole(listing, pageSize, { keys, longest })
    }
  })

  test('of an image that was never scanned, paginator and waiter of the JavaScript SDK say so', async () => {
    const client = session.ecr
    const first = paginateDescribeImageScanFindings({ client }, scanned).next()
    assert.equal((await refusalOf(first)).name, 'ScanNotFoundException')
    // This SDK's waiter asks again until its time is over, and tells then what it was answered.
    const waited = waitUntilImageScanComplete({ client, maxWaitTime: 2, minDelay: 1, maxDelay: 1 }, scanned)
    await assert.rejects(waited, /Image scan does not exist for the image/)
  })

  test("boto3's paginators list everything once, and its waiters end", needsBoto3(), async () => {
    const { server } = session
    const answers = await boto3(server, [
      {
        service: 'ecr',
        waiter: 'lifecycle_policy_preview_complete',
        input: { repositoryName: scanned.repositoryName },
      },
      { service: 'ecr', waiter: 'image_scan_complete', input: scanned },
      ...cases().map(({ listing: { service, paginator, input, result, key }, pageSize }) => {
        return { service, paginator, input, result, key, pageSize }
      }),
    ])
    const [previewed, unscanned, ...listed] = answers as [Waited, Waited, ...Listed[]]
    assert.equal(previewed.failure, null)
    assert.match(unscanned.failure ?? '', /ScanNotFoundException/)
    for (const [place, { listing, pageSize }] of cases().entries()) {
      assertWhole(listing, pageSize, listed[place] ?? { keys: [], longest: 0 })
    }
  })
})

interface Waited {
  readonly failure: string | null
}

/** Skipped where Python has no boto3, except in CI. */
function needsBoto3(): { skip: string | false } {
  const python = findProgram('python3')
  const there = python !== undefined && spawnSync(python, ['-c', 'import boto3']).status === 0
  return { skip: !inContinuousIntegration && !there && 'not on this machine: python3 with boto3' }
}

async function boto3({ url, region, credentials }: RunningServer, cases: readonly object[]): Promise<unknown[]> {
  const env = {
    AWS_ENDPOINT_URL: url,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
  }
  const lines = await run('python3', [script], { env, input: JSON.stringify(cases) })
  return lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

/** The listings of a page differ in type; the tables above name the members. */
function itemsOf(page: object, result: string): Readonly<Record<string, unknown>>[] {
  return (page as Record<string, Record<string, unknown>[]>)[result] ?? []
}

const PolicyDocument = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'ecr:*', Resource: '*' }],
})

function numbered(count: number, name: string): string[] {
  return Array.from({ length: count }, (_, place) => `${name}-${place}`)
}

/** A few at a time: more would only wait for one another. */
async function all<Item>(items: Iterable<Item>, act: (item: Item) => Promise<unknown>): Promise<void> {
  const rest = items[Symbol.iterator]()
  const worker = async () => {
    for (let next = rest.next(); !next.done; next = rest.next()) await act(next.value)
  }
  await Promise.all(Array.from({ length: 16 }, worker))
}
