import type { Reader } from '#metadata/metadata.ts'

export const eventGauges = [
  {
    name: 'lading_events_waiting',
    help: 'Events that no process has published yet.',
    read: async (reader: Reader) => {
      const { count } = await reader
        .selectFrom('event')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('sequence', 'is', null)
        .executeTakeFirstOrThrow()
      return Number(count)
    },
  },
] as const
