/** Pulls through the cache from a stand-in for Docker Hub in front of CNCF Distribution: tokens of a user, and blobs from a CDN. */
import { pullsThrough } from '#test/suites/pull-through.ts'
import { hubUser, startHub } from '#test/support/upstreams/hub.ts'
import { startDistribution } from '#test/support/upstreams/registries.ts'

pullsThrough({
  name: 'Docker Hub',
  programs: ['docker-registry'],
  url: 'registry-1.docker.io',
  nameInImages: 'docker.io',
  async start() {
    await using stack = new AsyncDisposableStack()
    const registry = stack.use(await startDistribution('docker-registry'))
    const hub = stack.use(await startHub({ registry: registry.url, privateRepositories: new Set(['clients/docker']) }))
    const running = stack.move()
    return {
      target: registry,
      upstreams: `registry-1.docker.io=${hub.url},${hub.cdnHost}`,
      credentials: { username: hubUser.username, accessToken: hubUser.password },
      [Symbol.asyncDispose]: () => running.disposeAsync(),
    }
  },
})
