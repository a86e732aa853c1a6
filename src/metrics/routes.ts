import type { FastifyInstance } from 'fastify'
import type { OperatorAccess } from '#iam/operator-access.ts'
import type { Metrics } from './metrics.ts'

/** `GET /metrics`, for whoever may `lading:GetMetrics`, by an access key as user and password. */
export function metricsRoutes(
  app: FastifyInstance,
  { metrics, operatorAccess }: { metrics: Metrics; operatorAccess: OperatorAccess },
): void {
  app.get('/metrics', async (request, reply) => {
    const { ip: sourceIp, protocol, headers } = request
    const { authorization, 'user-agent': userAgent } = headers
    const client = { sourceIp, secure: protocol === 'https', userAgent }
    const access = await operatorAccess({ authorization, action: 'lading:GetMetrics', ...client })
    if (access === 'allowed') return reply.type(metrics.contentType).send(await metrics.render())
    if (access === 'denied') {
      return reply
        .code(403)
        .type('text/plain')
        .send('This access key may not lading:GetMetrics, or is of another account.\n')
    }
    if (access === 'throttled') {
      return reply
        .code(429)
        .header('retry-after', '60')
        .type('text/plain')
        .send('Too many failed sign-ins from this address. Wait a minute, and check the access key.\n')
    }
    return reply
      .code(401)
      .header('www-authenticate', 'Basic realm="Lading metrics"')
      .type('text/plain')
      .send('Give an access key id as user, and its secret access key as password.\n')
  })
}
