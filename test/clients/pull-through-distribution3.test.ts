/** Pulls through the cache from CNCF Distribution 3, on machines that have its program. CI does not build it, since that takes minutes. */
import { pullsThrough } from '#test/suites/pull-through.ts'
import { findProgram } from '#test/support/run.ts'
import { startDistribution } from '#test/support/upstreams/registries.ts'

pullsThrough({
  name: 'CNCF Distribution 3',
  programs: [],
  skip: findProgram('registry') === undefined && 'not on this machine: registry, the program of CNCF Distribution 3',
  url: 'registry.example.com',
  async start() {
    const registry = await startDistribution('registry')
    return {
      target: registry,
      upstreams: `registry.example.com=${registry.url}`,
      [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
    }
  },
})
