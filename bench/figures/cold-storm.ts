import { image } from '#test/support/images/build.ts'
import { findProgram } from '#test/support/run.ts'
import { pullDirectly } from '#test/support/upstreams/direct-pull.ts'
import { type Hub, startHub } from '#test/support/upstreams/hub.ts'
import { pullAtOnce } from '#test/support/upstreams/storm-clients.ts'
import { distributionProgram } from '../harness/distribution.ts'
import type { Limit } from '../harness/figure.ts'
import { type PullThroughCache, startDistributionCache, startLadingCache } from '../harness/pull-through.ts'

const clients = 24
const name = 'library/storm'

/**
 * How many times the peer downloads a layer for each time that Lading does, when clients pull it through a cache at once for the first
 * time. Each cache has a fresh stand-in for Docker Hub, with a CDN of 10 MB/s.
 */
export const coldStorm: Limit = {
  name: 'cold-storm',
  title: 'downloads of a layer that 24 clients pull at once, of the peer for one of Lading',
  unit: '×',
  programs: [distributionProgram],
  atLeast: clients,
  async measure() {
    const layerBytes = 4_000_000
    const lading = await storm(layerBytes, startLadingCache)
    const peer = await storm(layerBytes, (hub) => startDistributionCache(distributionProgram, hub))
    return peer.downloads / lading.downloads
  },
}

/** The same with a larger layer: how long the slowest client of the peer waits for each second that Lading's does. */
export const coldStormTime: Limit = {
  name: 'cold-storm-time',
  title: 'slowest of 24 clients that pull a layer at once, of the peer against Lading',
  unit: '×',
  programs: [distributionProgram],
  full: true,
  atLeast: 12,
  async measure() {
    const layerBytes = 40_000_000
    const lading = await storm(layerBytes, startLadingCache)
    say('Lading', lading)
    const peer = await storm(layerBytes, (hub) => startDistributionCache(distributionProgram, hub))
    say('Distribution 2', peer)
    if (findProgram('registry') === undefined) {
      process.stderr.write('  SKIPPED: Distribution 3, since its program registry is not on this machine\n')
    } else {
      say('Distribution 3', await storm(layerBytes, (hub) => startDistributionCache('registry', hub)))
    }
    return peer.slowestSeconds / lading.slowestSeconds
  },
}

interface Storm {
  /** GETs of the layer that the CDN received. */
  readonly downloads: number
  readonly tokens: number
  /** HEADs of blobs that the hub received. */
  readonly heads: number
  readonly slowestSeconds: number
  /** Of one client that pulls from the hub itself, before. */
  readonly directSeconds: number
}

async function storm(layerBytes: number, start: (hub: Hub) => Promise<PullThroughCache>): Promise<Storm> {
  // The clients send no Accept, to which the peer answers with this type alone.
  const pulled = image({ layers: [layerBytes], format: 'docker' })
  const layer = pulled.blobs[1]
  if (layer === undefined) throw new Error('an image has a layer')
  await using hub = await startHub({ cdnBytesPerSecond: 10_000_000 })
  hub.content.push(name, pulled, 'latest')
  const directSeconds = await pullDirectly(hub, name, pulled)
  hub.log.clear()
  await using cache = await start(hub)
  const { port, authorization, prefix } = cache
  const paths = [`${prefix}${name}/manifests/latest`, `${prefix}${name}/blobs/${layer.digest}`]
  const { seconds } = await pullAtOnce({ clients, ports: [port], authorization, paths })
  return {
    downloads: hub.log.count({ at: 'cdn', method: 'GET', reference: layer.digest }),
    tokens: hub.log.count({ at: 'token' }),
    heads: hub.log.count({ kind: 'blobs', method: 'HEAD' }),
    slowestSeconds: Math.max(...seconds),
    directSeconds,
  }
}

function say(cache: string, { downloads, tokens, heads, slowestSeconds, directSeconds }: Storm): void {
  const times = (slowestSeconds / directSeconds).toFixed(2)
  process.stderr.write(
    `  ${cache}: ${downloads} GETs of the layer, ${tokens} tokens, ${heads} HEADs of blobs, ` +
      `slowest client ${slowestSeconds.toFixed(2)} s, ${times} times a direct pull of ${directSeconds.toFixed(2)} s\n`,
  )
}
