import type { FastifyReply } from 'fastify'
import type { StaleCopy } from '#registry/image.ts'

/** Says that a copy may be old, since its upstream did not answer (RFC 9111 section 5.1; RFC 7234 section 5.5.2, code 111). */
export function warnStale(reply: FastifyReply, { checkedAt, now }: StaleCopy): void {
  const seconds = Math.max(0, Math.floor((now - checkedAt) / 1_000))
  reply
    .header('age', seconds)
    .header(
      'warning',
      `111 lading "The upstream registry did not answer. The tag was last checked ${new Date(checkedAt).toISOString()}"`,
    )
}
