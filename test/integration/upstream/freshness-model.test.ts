/**
 * A tag of a cached repository against a model of its rules: which image a pull answers, and whether it asks the upstream. Upstream and
 * clients move and delete the tag, time passes, and the upstream fails and works again.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { callAdmin } from '#test/support/admin.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { type Image, image } from '#test/support/images/build.ts'
import { pushImage, type Registry } from '#test/support/push.ts'
import { until } from '#test/support/until.ts'
import { type CacheSession, startCacheSession } from '#test/support/upstreams/cache-session.ts'

const hour = 60 * 60_000
const day = 24 * hour
const tag = 'latest'

const images = [0, 1, 2].map((at) => image({ layers: [], annotations: { at: String(at) } }))
const step = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ does: 'pull' as const }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('move upstream' as const), to: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('push' as const), to: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.constant({ does: 'delete' as const }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('pass' as const), hours: fc.constantFrom(1, 23, 25) }) },
  { weight: 1, arbitrary: fc.constant({ does: 'delete upstream' as const }) },
  { weight: 2, arbitrary: fc.constantFrom({ does: 'fail' as const }, { does: 'recover' as const }) },
)
type Step = typeof step extends fc.Arbitrary<infer Each> ? Each : never

/** A client's tag points back to what the cache put there. The cache brings a tag back to an image that stayed. */
const examples: [Step[]][] = [
  [
    [
      { does: 'push', to: 1 },
      { does: 'push', to: 0 },
      { does: 'move upstream', to: 1 },
      { does: 'pass', hours: 25 },
    ],
  ],
  [[{ does: 'push', to: 1 }, { does: 'delete' }, { does: 'pull' }, { does: 'pass', hours: 25 }]],
  [[{ does: 'delete' }, { does: 'push', to: 0 }, { does: 'move upstream', to: 1 }, { does: 'pass', hours: 25 }]],
]

interface Model {
  upstream: number | undefined
  isDown: boolean
  /** What the tag points to here, and when the upstream said so. Without the time, a client moved it there. */
  local: { image: number; checkedAt: number | undefined } | undefined
  now: number
}

/** What a pull answers: an image, or a status. */
interface Expected {
  image: number | undefined
  isStale: boolean
  asks: 'nothing' | 'once' | 'in vain'
}

function expectPull(model: Model): Expected {
  const { local, upstream, isDown, now } = model
  if (local !== undefined && (local.checkedAt === undefined || now < local.checkedAt + day)) {
    return { image: local.image, isStale: false, asks: 'nothing' }
  }
  if (isDown) return { image: local?.image, isStale: local !== undefined, asks: 'in vain' }
  const found = upstream ?? local?.image
  model.local = found === undefined ? undefined : { image: found, checkedAt: now }
  return { image: found, isStale: false, asks: 'once' }
}

eachDatabaseInCi((databases) =>
  describe(`a cached tag against a model on ${databases.dialect}`, { timeout: 300_000 }, () => {
    test('answers what the rules say, and asks the upstream only when they say so', async () => {
      await using session = await startCacheSession({ database: await databases.url() })
      let repositories = 0
      const property = fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
        const name = `library/model${repositories++}`
        const run = await openRun(session, name)
        for (const each of [{ does: 'pull' as const }, ...steps, { does: 'pull' as const }]) await run(each)
      })
      await fc.assert(property, { numRuns: 15, endOnFailure: true, examples, interruptAfterTimeLimit: 90_000 })
    })

    test('never moves a tag that a client pushed to the image that was still on its way', async () => {
      await using session = await startCacheSession({ database: await databases.url() })
      const { hub, get } = session
      const path = 'hub/library/app/manifests/latest'
      const [first, second] = [image({ layers: [1_000] }), image({ layers: [2_000] })]
      hub.content.push('library/app', first, tag)
      hub.fail({ kind: 'blobs' }, { kind: 'silence' })
      assert.equal((await get(path)).status, 200)
      await pushImage(clientOf(session), 'hub/library/app', first, tag)
      hub.recover()
      hub.content.push('library/app', second, tag)
      session.pass(2 * day)

      assert.equal((await get(path)).headers['docker-content-digest'], first.digest)
    })

    test('never moves a tag that a client rolled back to what the upstream had', async () => {
      await using session = await startCacheSession({ database: await databases.url() })
      const { hub, ecr, get, server } = session
      const repositoryName = 'hub/library/app'
      const [first, second, third] = [image(), image({ layers: [2_000] }), image({ layers: [3_000] })]
      const pull = async () => (await get(`${repositoryName}/manifests/${tag}`)).headers['docker-content-digest']
      const imageIds = [{ imageTag: tag }]
      const holds = ({ digest }: Image) =>
        ecr.describeImages({ repositoryName, imageIds }).then(
          ({ imageDetails = [] }) => imageDetails[0]?.imageDigest === digest,
          () => false,
        )
      for (const each of [first, second]) {
        hub.content.push('library/app', each, tag)
        session.pass(2 * day)
        await pull()
        await until(() => holds(each))
      }
      const at = new Date(Date.now() + 4 * day)
      for (const { digest: imageDigest } of [first, second]) {
        const input = { repositoryName, imageTag: tag, imageDigest }
        assert.equal((await callAdmin(server, server.credentials, 'RollbackTag', input, at)).status, 200)
      }
      hub.content.push('library/app', third, tag)
      session.pass(2 * day)

      assert.equal(await pull(), second.digest)
    })
  }),
)

async function openRun(session: CacheSession, upstreamName: string): Promise<(step: Step) => Promise<void>> {
  const { hub, ecr, get } = session
  const repositoryName = `hub/${upstreamName}`
  const client = clientOf(session)
  const imageOf = (at: number) => images[at] ?? assert.fail()
  hub.behaviour.down = false
  hub.content.push(upstreamName, imageOf(0), tag)
  const model: Model = { upstream: 0, isDown: false, local: undefined, now: 0 }
  const pass = (ms: number) => {
    session.pass(ms)
    model.now += ms
  }

  async function pull(): Promise<void> {
    // A failure is remembered for seconds.
    pass(20_000)
    const expected = expectPull(model)
    hub.log.clear()
    const { status, headers } = await get(`${repositoryName}/manifests/${tag}`)
    // Without those that were challenged.
    const asked = hub.log.requests.filter(
      ({ kind, reference, status }) => kind === 'manifests' && reference === tag && status !== 401,
    )
    assert.equal(headers.warning !== undefined, expected.isStale, 'stale')
    if (expected.asks === 'nothing') assert.equal(hub.log.count(), 0)
    if (expected.asks === 'once') assert.equal(asked.length, 1)
    if (expected.image === undefined) {
      assert.equal(status, model.isDown ? 503 : 404)
      return
    }
    assert.equal(status, 200)
    assert.equal(headers['docker-content-digest'], imageOf(expected.image).digest)
    await until(async () => (await find(expected.image ?? 0)) !== undefined)
  }

  async function find(at: number) {
    const imageIds = [{ imageTag: tag }]
    const { imageDetails = [] } = await ecr
      .describeImages({ repositoryName, imageIds })
      .catch(() => ({ imageDetails: [] }))
    return imageDetails.find(({ imageDigest }) => imageDigest === imageOf(at).digest)
  }

  return async (step) => {
    if (step.does === 'pull') await pull()
    if (step.does === 'pass') pass(step.hours * hour)
    if (step.does === 'fail' || step.does === 'recover') {
      model.isDown = step.does === 'fail'
      hub.behaviour.down = model.isDown
    }
    if (step.does === 'move upstream') {
      hub.content.push(upstreamName, imageOf(step.to), tag)
      model.upstream = step.to
    }
    if (step.does === 'delete upstream') {
      hub.content.removeManifest(upstreamName, tag)
      model.upstream = undefined
    }
    if (step.does === 'push') {
      await pushImage(client, repositoryName, imageOf(step.to), tag)
      // The content that is there already is no push.
      if (model.local?.image !== step.to) model.local = { image: step.to, checkedAt: undefined }
    }
    if (step.does === 'delete') {
      await ecr.batchDeleteImage({ repositoryName, imageIds: [{ imageTag: tag }] })
      model.local = undefined
    }
  }
}

function clientOf({ server: { url, credentials } }: CacheSession): Registry {
  const { accessKeyId, secretAccessKey } = credentials
  return { url, authorization: `Basic ${Buffer.from(`${accessKeyId}:${secretAccessKey}`).toString('base64')}` }
}
