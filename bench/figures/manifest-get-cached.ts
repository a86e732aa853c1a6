import { image } from '#test/support/images/build.ts'
import { until } from '#test/support/until.ts'
import { startHub } from '#test/support/upstreams/hub.ts'
import { Connection } from '../harness/connection.ts'
import { type Limit, repeatedly, timed } from '../harness/figure.ts'
import { startLading } from '../harness/lading.ts'
import { median } from '../harness/measure.ts'
import { expectStatus, pushImage, requestHead } from '../harness/requests.ts'

const connections = 16
const rounds = 6
const roundMs = 500

/** A pull by tag of an image that is cached and fresh, against that of one that a client pushed: the rates of the same server. */
export const manifestGetCached: Limit = {
  name: 'manifest-get-cached',
  title: 'manifest GET by tag, cached against pushed',
  unit: '×',
  atLeast: 0.95,
  async measure() {
    await using hub = await startHub()
    const pulled = image({ layers: [1_000, 1_000, 1_000, 1_000, 1_000] })
    hub.content.push('library/app', pulled, 'v1')
    await using server = await startLading({
      environment: { LADING_UPSTREAMS: `registry-1.docker.io=${hub.url},${hub.cdnHost}` },
    })
    const { ecr } = server
    await ecr.createPullThroughCacheRule({ ecrRepositoryPrefix: 'hub', upstreamRegistryUrl: 'registry-1.docker.io' })
    await server.createRepository('bench/library/app')
    const lanes = await Promise.all(Array.from({ length: connections }, () => Connection.open(server.port)))
    const [lane] = lanes
    if (lane === undefined) throw new Error('a figure has connections')
    await pushImage(lane, server, { repository: 'bench/library/app', tag: 'v1', image: pulled })

    const requestOf = (repository: string) =>
      requestHead(server, 'GET', `/v2/${repository}/manifests/v1`, { Accept: pulled.mediaType })
    const [cached, pushed] = [requestOf('hub/library/app'), requestOf('bench/library/app')]
    expectStatus(await lane.exchange(cached), 200)
    await until(async () => {
      const { imageIds = [] } = await ecr.listImages({ repositoryName: 'hub/library/app' })
      return imageIds.length > 0
    })

    const rateOf = async (request: Buffer) => {
      const { amount, seconds } = await timed(() =>
        repeatedly(lanes, roundMs, async (each) => void expectStatus(await each.exchange(request), 200)),
      )
      return amount / seconds
    }
    await rateOf(cached)
    await rateOf(pushed)
    const ratios: number[] = []
    for (let round = 0; round < rounds; round++) {
      const first = await rateOf(round % 2 === 0 ? cached : pushed)
      const second = await rateOf(round % 2 === 0 ? pushed : cached)
      ratios.push(round % 2 === 0 ? first / second : second / first)
    }
    for (const each of lanes) each[Symbol.dispose]()
    return median(ratios)
  },
}
