import type { FastifyReply } from 'fastify'
import type { StaleCopy } from '#registry/image.ts'

/** Says that a copy may be old, since its upstream did not answer (RFC 9111 section 5.1; RFC 7234 section 5.5.2, code 111). */
export function warnStale(reply: FastifyReply, { checkedAt, now }: StaleCopy): void {
  const seconds = Math.max(0, Math.floor((now - checkedAt) / 1_000))
  // On the bare response, for handlers that write their answer past Fastify.
  reply.raw.setHeader('age', seconds)
  const checked = checkedAt > 0 ? `. It was last checked ${new Date(checkedAt).toISOString()}` : ''
  reply.raw.setHeader('warning', `111 lading "The upstream registry did not answer for this tag${checked}"`)
}
