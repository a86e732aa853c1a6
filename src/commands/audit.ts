import { listUsage, readUsage } from '#audit/usage.ts'
import type { Call, CommandGroup } from './command.ts'
import { onePage, time } from './output.ts'

/** How large the audit trail is, and what is missing from it. What it holds is found by `aws cloudtrail lookup-events`. */
export const auditCommands: CommandGroup = {
  name: 'audit',
  description: 'the audit trail: how large it is, and what was dropped',
  commands: [
    {
      name: 'status',
      description: 'show how many records and bytes there are, and how many records were dropped',
      example: 'lading audit status',
      run: showStatus,
    },
    {
      name: 'actors',
      description: 'list the hundred users, roles and roots that have most of it',
      example: 'lading audit actors',
      run: listActors,
    },
  ],
}

async function showStatus({ output, settings, open }: Call): Promise<void> {
  const { metadata } = await open()
  const { records, bytes, dropped, evicted } = await readUsage(metadata.reader)
  const oldest = await metadata.reader.selectFrom('audit_event').select('at').orderBy('at').limit(1).executeTakeFirst()
  output.show({ records, bytes, oldest: time(oldest?.at), dropped, evicted })
  const { auditDays, auditMaxMib } = settings
  const most = auditMaxMib === 0 ? 'without a limit on its size' : `up to ${auditMaxMib} MiB`
  output.note(`Servers with these settings keep records for ${auditDays} days, ${most}.`)
}

async function listActors({ output, open }: Call): Promise<void> {
  const { metadata } = await open()
  const actors = await listUsage(metadata.reader, 100)
  const columns = ['account', 'actor', 'records', 'bytes', 'dropped', 'evicted']
  const rows = actors.map((usage) => ({ ...usage }))
  await output.list('actors', onePage(rows), columns)
}
