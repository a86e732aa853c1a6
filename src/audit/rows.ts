import { randomUUID } from 'node:crypto'
import type { Insertable } from 'kysely'
import type { AuditTables } from '#metadata/schema/audit.ts'
import { actorOf, worthOf } from './actor.ts'
import type { AuditedCall } from './call.ts'
import { printDenial } from './denials.ts'
import { isReadOnly } from './read-only.ts'
import { type Repeats, recordOf, regionOf, sourceOf, usernameOf } from './record.ts'
import { parseResource } from './resources.ts'

export type AuditRow = Insertable<AuditTables['audit_event']>

/** In whose trails a call is recorded: the caller's, and that of each account whose resource it is about. */
export function recipientsOf({ principal, owner, resources }: AuditedCall): readonly string[] {
  const owners = resources.flatMap((arn) => parseResource(arn)?.account ?? [])
  return [...new Set([...(principal?.account === undefined ? [] : [principal.account]), owner, ...owners])]
}

/** The rows of a call, one for each of those accounts that are there. */
export function rowsOf(call: AuditedCall, repeats: Repeats, isAccount: (account: string) => boolean): AuditRow[] {
  const recipients = recipientsOf(call).filter(isAccount)
  const shared = recipients.length > 1 ? randomUUID() : undefined
  const { principal } = call
  const actor = actorOf(call)
  const [resource] = call.resources.flatMap((arn) => parseResource(arn) ?? [])
  return recipients.map((recipient) => {
    const event = randomUUID()
    const record = JSON.stringify(recordOf(call, { event, shared, recipient }, repeats))
    const denial = printDenial(call)
    return {
      account: recipient,
      region: regionOf(call),
      event_id: event,
      request_id: call.requestId,
      at: call.circumstances.now,
      source: sourceOf(call.service),
      name: column(call.name),
      read_only: isReadOnly(call.name) ? 1 : 0,
      username: principal === undefined ? null : usernameOf(principal),
      access_key_id: principal?.accessKeyId || null,
      resource_type: resource?.type ?? null,
      resource_name: resource === undefined ? null : column(resource.name),
      resource_arn: resource === undefined ? null : column(resource.arn),
      ...{ record, denial, actor_account: actor.account, actor: actor.id },
      lasting: worthOf(call) === 'change' ? 1 : 0,
      bytes: bytesOf(record, denial),
    }
  })
}

/** What a row costs beside its two documents: its other columns, and its entries in eleven indexes. */
const overheadBytes = 1_024

/** What a row costs on disk, about. */
export function bytesOf(record: string, denial: string | null): number {
  return record.length + (denial?.length ?? 0) + overheadBytes
}

/** A caller chose it. PostgreSQL keeps no NUL, and no more in an index than some 2,700 bytes. */
export function column(text: string): string {
  return text.replaceAll('\0', '').slice(0, 600)
}
