/** Pulls through the cache from the registry of go-containerregistry, which has the referrers API. */
import { pullsThrough } from '#test/suites/pull-through.ts'
import { startCraneRegistry } from '#test/support/upstreams/registries.ts'

pullsThrough({
  name: 'crane registry serve',
  programs: ['crane'],
  url: 'registry.example.com',
  async start() {
    const registry = await startCraneRegistry()
    return {
      target: registry,
      upstreams: `registry.example.com=${registry.url}`,
      [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
    }
  },
})
