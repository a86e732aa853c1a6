/** What a running Lading has recorded, by the CloudTrail client. */
import { setTimeout } from 'node:timers/promises'
import { CloudTrail, type LookupEventsCommandInput } from '@aws-sdk/client-cloudtrail'
import type { Credentials, RunningServer } from './server.ts'

export interface AuditRecord {
  readonly userIdentity: Readonly<Record<string, unknown>>
  readonly eventName: string
  readonly eventSource: string
  readonly sourceIPAddress: string
  readonly userAgent: string
  readonly requestID: string
  readonly errorCode?: string
  readonly errorMessage?: string
  readonly requestParameters: Readonly<Record<string, unknown>> | null
  readonly responseElements: Readonly<Record<string, unknown>> | null
  readonly additionalEventData?: { readonly count: number }
  readonly readOnly: boolean
  readonly recipientAccountId: string
  readonly resources?: readonly { readonly ARN: string }[]
}

export interface AuditReader extends Disposable {
  readonly client: CloudTrail
  /** Newest first; waits until there are `least`. */
  records(query?: LookupEventsCommandInput, least?: number): Promise<AuditRecord[]>
}

export function openAuditReader(server: RunningServer, credentials: Credentials = server.credentials): AuditReader {
  const client = new CloudTrail({ endpoint: server.url, region: server.region, credentials, maxAttempts: 1 })
  return {
    client,
    async records(query = {}, least = 1) {
      for (;;) {
        const { Events = [] } = await client.lookupEvents(query)
        if (Events.length >= least) return Events.map(({ CloudTrailEvent = '' }) => JSON.parse(CloudTrailEvent))
        // Each look is an event of its own, and too many would hide what is looked for.
        await setTimeout(50)
      }
    },
    [Symbol.dispose]: () => client.destroy(),
  }
}
