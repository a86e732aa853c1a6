// `/livez` says that the process runs; `/readyz` that it can serve: each check passes and it is not stopping. Both are
// open to anybody, so `/readyz` names failing checks and the log alone says why they fail.

import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'

/** One thing without which no request can be served, such as the metadata store. Rejects while it is missing. */
export interface HealthCheck {
  readonly name: string
  check(): Promise<void>
}

export const healthPaths: ReadonlySet<string> = new Set(['/livez', '/readyz'])

const checkTimeoutMs = 3000

export function healthRoutes(
  app: FastifyInstance,
  { log, checks, isStopping }: { log: Logger; checks: readonly HealthCheck[]; isStopping: () => boolean },
): void {
  // Probes that come at once share one run, or anybody could have the checks run as often as they liked.
  let running: Promise<string[]> | undefined
  const failingChecks = () => {
    running ??= findFailing(checks, log).finally(() => {
      running = undefined
    })
    return running
  }
  const method = ['GET', 'HEAD']
  app.route({ method, url: '/livez', handler: (_request, reply) => reply.send({ status: 'alive' }) })
  app.route({
    method,
    url: '/readyz',
    handler: async (_request, reply) => {
      if (isStopping()) return reply.code(503).send({ status: 'stopping' })
      const failing = await failingChecks()
      return failing.length === 0
        ? reply.send({ status: 'ready' })
        : reply.code(503).send({ status: 'not ready', failing })
    },
  })
}

async function findFailing(checks: readonly HealthCheck[], log: Logger): Promise<string[]> {
  const outcomes = await Promise.all(
    checks.map(async ({ name, check }) => {
      try {
        await within(checkTimeoutMs, check())
        return []
      } catch (err) {
        log.warn({ check: name, err }, 'not ready')
        return [name]
      }
    }),
  )
  return outcomes.flat()
}

async function within(timeoutMs: number, work: Promise<void>): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
