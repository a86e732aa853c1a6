// Which addresses webhooks reach. A receiver has a public address and speaks HTTPS. The operator lists exceptions in
// `LADING_WEBHOOK_HOSTS`: those may be private and may speak HTTP. Link-local addresses are refused for all.

import { isIP } from 'node:net'
import { type Destination, isLoopbackHost, isWithin, type Reach, withoutBrackets } from '#remote/hosts.ts'
import { refuse, type UrlProblem } from './refusals.ts'

/** An entry of `LADING_WEBHOOK_HOSTS`. Without a port it stands for every port of the host. */
export interface ReceiverHost {
  readonly hostname: string
  readonly port: number | undefined
}

/** Where a receiver is reached. A name is looked up when the connection is made, and its address decided about then. */
export type AdmitReceiver = (url: string) => Destination

/** @throws Refusal `WebhookUrlInvalid` */
export function createAdmitReceiver(hosts: readonly ReceiverHost[]): AdmitReceiver {
  const isListed = ({ hostname, port, protocol }: URL) =>
    hosts.some(
      (host) =>
        host.hostname === hostname &&
        (host.port === undefined || host.port === Number(port || (protocol === 'http:' ? 80 : 443))),
    )

  return (text) => {
    const url = URL.parse(text)
    if (url === null) throw invalid('syntax')
    if (url.protocol !== 'https:' && url.protocol !== 'http:') throw invalid('scheme')
    if (url.username !== '' || url.password !== '') throw invalid('credentials')
    if (url.hash !== '') throw invalid('fragment')
    const listed = isListed(url)
    if (url.protocol === 'http:' && !listed) throw invalid('http')
    const isLocal = isLoopbackHost(url.hostname)
    if (isLocal && !listed) throw invalid('address')
    const reach: Reach = !listed ? 'public' : isLocal ? 'loopback' : 'configured'
    const literal = withoutBrackets(url.hostname)
    if (isIP(literal) !== 0 && !isWithin(reach, literal)) throw invalid('address')
    return { url, reach }
  }
}

function invalid(problem: UrlProblem) {
  return refuse('WebhookUrlInvalid', { problem })
}
