import { enqueueIfNone } from '#jobs/queue.ts'
import { scrubStore } from '#registry/scrub/jobs.ts'
import { readScrubStatus } from '#registry/scrub/status.ts'
import { type Call, CommandError, type CommandGroup } from './command.ts'
import { time } from './output.ts'

/** The scrub, which finds what is damaged of what is stored. A server does the work. */
export const scrubCommands: CommandGroup = {
  name: 'scrub',
  description: 'the reading of all that is stored, which finds what is damaged',
  commands: [
    {
      name: 'status',
      description: 'show how far it is, and what is damaged',
      example: 'lading scrub status',
      run: showStatus,
    },
    {
      name: 'run',
      description: 'have a server begin a round now, instead of a day after the last one',
      example: 'lading scrub run',
      run: askForRound,
    },
  ],
}

async function showStatus({ open, output, settings }: Call): Promise<void> {
  const { metadata } = await open()
  const status = await readScrubStatus(metadata.reader)
  const { round, beganAt, progress, bytesRead, damaged, quarantined, damagedManifests } = status
  output.show({
    mibPerSecond: settings.scrubMibPerSecond,
    round: round?.state ?? 'none',
    beganAt: beganAt && time(beganAt),
    finishedAt: round?.finishedAt && time(round.finishedAt),
    percent: progress === undefined ? undefined : Math.floor(progress * 100),
    lastError: round?.lastError,
    ...{ bytesRead, damaged, quarantined },
    damagedManifests: damagedManifests.map(({ name, digest }) => `${name}@${digest}`),
  })
}

async function askForRound({ open, output, settings }: Call): Promise<void> {
  if (settings.scrubMibPerSecond === 0) throw new CommandError('LADING_SCRUB_MIB_PER_SECOND is 0: no server would read')
  const { metadata, clock } = await open()
  const asked = await metadata.transaction((trx) => enqueueIfNone(trx, scrubStore, {}, { at: clock() }))
  if (!asked) throw new CommandError('a round goes on already: lading scrub status shows how far it is')
  output.show({ asked })
  output.note('A server begins within seconds; lading scrub status shows how far it is.')
}
