import { type Kysely, sql } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/** The actor that each record of the trail is charged to, and how many bytes of it each actor has. Of older records the record itself says it. */
export async function auditUsage(db: Kysely<unknown>, { text, integer, member }: ColumnTypes): Promise<void> {
  await db.schema
    .alterTable('audit_event')
    .addColumn('actor_account', text, (c) => c.notNull().defaultTo(''))
    .execute()
  await db.schema
    .alterTable('audit_event')
    .addColumn('actor', text, (c) => c.notNull().defaultTo(''))
    .execute()
  await db.schema
    .alterTable('audit_event')
    .addColumn('lasting', integer, (c) => c.notNull().defaultTo(0))
    .execute()
  await db.schema
    .alterTable('audit_event')
    .addColumn('bytes', integer, (c) => c.notNull().defaultTo(0))
    .execute()
  await sql`
    update audit_event set
      actor_account = coalesce(${member('record', 'userIdentity', 'accountId')}, account),
      actor = coalesce(${member('record', 'userIdentity', 'principalId')}, ''),
      lasting = case when read_only = 0 and denial is null then 1 else 0 end,
      bytes = length(record) + coalesce(length(denial), 0) + 1024`.execute(db)
  await db.schema
    .createIndex('audit_event_actor')
    .on('audit_event')
    .columns(['actor_account', 'actor', 'lasting', 'at'])
    .execute()
  await db.schema
    .createTable('audit_usage')
    .addColumn('account', text, (c) => c.notNull())
    .addColumn('actor', text, (c) => c.notNull())
    .addColumn('lasting', integer, (c) => c.notNull())
    .addColumn('records', integer, (c) => c.notNull())
    .addColumn('bytes', integer, (c) => c.notNull())
    .addColumn('dropped', integer, (c) => c.notNull())
    .addColumn('evicted', integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('audit_usage_key', ['account', 'actor', 'lasting'])
    .execute()
  await sql`
    insert into audit_usage (account, actor, lasting, records, bytes, dropped, evicted)
    select actor_account, actor, lasting, count(*), sum(bytes), 0, 0 from audit_event
    group by actor_account, actor, lasting`.execute(db)
}
