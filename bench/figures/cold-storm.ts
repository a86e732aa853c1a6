import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { image } from '#test/support/images/build.ts'
import { findProgram } from '#test/support/run.ts'
import { type Hub, startHub } from '#test/support/upstreams/hub.ts'
import { pullAtOnce } from '#test/support/upstreams/storm-clients.ts'
import { answers, distributionProgram } from '../harness/distribution.ts'
import type { Limit } from '../harness/figure.ts'
import { freePort } from '../harness/free-port.ts'
import { startLading } from '../harness/lading.ts'
import { startProcess } from '../harness/server.ts'

const clients = 24
const layerBytes = 4_000_000
const name = 'library/storm'

/**
 * How many times the peer downloads a layer for each time that Lading does, when clients pull it through a cache at once for the first
 * time. Both caches have a fresh stand-in for Docker Hub, with a CDN of 10 MB/s.
 */
export const coldStorm: Limit = {
  name: 'cold-storm',
  title: 'downloads of a layer that 24 clients pull at once, of the peer for one of Lading',
  unit: '×',
  programs: [distributionProgram],
  atLeast: clients,
  async measure() {
    // The clients send no Accept, to which the peer answers with this type alone.
    const pulled = image({ layers: [layerBytes], format: 'docker' })
    const layer = pulled.blobs[1]
    if (layer === undefined) throw new Error('an image has a layer')
    const pathsBelow = (prefix: string) => [`${prefix}/manifests/latest`, `${prefix}/blobs/${layer.digest}`]

    async function downloads(pullThrough: (hub: Hub) => Promise<void>): Promise<number> {
      await using hub = await startHub({ cdnBytesPerSecond: 10_000_000 })
      hub.content.push(name, pulled, 'latest')
      await pullThrough(hub)
      return hub.log.count({ at: 'cdn', method: 'GET', reference: layer?.digest ?? '' })
    }

    const ofLading = await downloads(async (hub) => {
      await using server = await startLading({
        environment: { LADING_UPSTREAMS: `registry-1.docker.io=${hub.url},${hub.cdnHost}` },
      })
      await server.ecr.createPullThroughCacheRule({
        ecrRepositoryPrefix: 'hub',
        upstreamRegistryUrl: 'registry-1.docker.io',
      })
      const authorization = `Basic ${Buffer.from(`AWS:${server.password}`).toString('base64')}`
      await pullAtOnce({ clients, ports: [server.port], authorization, paths: pathsBelow(`/v2/hub/${name}`) })
    })
    const ofPeer = await downloads(async (hub) => {
      const port = await freePort()
      await using process = await startProcess(async (folder) => {
        const config = join(folder, 'config.yml')
        await writeFile(config, configuration(port, join(folder, 'data'), hub.url))
        return { program: findProgram(distributionProgram) ?? distributionProgram, args: ['serve', config], env: {} }
      })
      await process.until(() => answers(`http://127.0.0.1:${port}/v2/`))
      await pullAtOnce({ clients, ports: [port], authorization: '', paths: pathsBelow(`/v2/${name}`) })
    })
    return ofPeer / ofLading
  },
}

function configuration(port: number, folder: string, upstream: string): string {
  return `version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: ${JSON.stringify(folder)} } }
http: { addr: "127.0.0.1:${port}" }
proxy: { remoteurl: ${JSON.stringify(upstream)} }
`
}
