/** Pulls through the cache from CNCF Distribution 2, as Debian packages it: a listed host without credentials. */
import { pullsThrough } from '#test/suites/pull-through.ts'
import { startDistribution } from '#test/support/upstreams/registries.ts'

pullsThrough({
  name: 'docker-registry',
  programs: ['docker-registry'],
  url: 'registry.example.com:5000',
  async start() {
    const registry = await startDistribution('docker-registry')
    return {
      target: registry,
      upstreams: `registry.example.com:5000=${registry.url}`,
      [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
    }
  },
})
