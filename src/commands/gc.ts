import { FileBlobStore } from '#blobs/file.ts'
import { openSetting } from '#config/open-setting.ts'
import { readCounters } from '#jobs/counters.ts'
import { enqueue } from '#jobs/queue.ts'
import { collectGarbage, sweepStore } from '#registry/collection/jobs.ts'
import { adoptStore, countStored } from '#registry/collection/own-store.ts'
import { readCollectionStatus } from '#registry/collection/status.ts'
import type { Call, CommandGroup } from './command.ts'
import { time } from './output.ts'

/** What frees disk space. Servers do the work; a command only looks, or asks them to do it sooner. */
export const gcCommands: CommandGroup = {
  name: 'gc',
  description: 'garbage collection: what is stored and needed by nothing',
  commands: [
    {
      name: 'status',
      description: 'tell what waits to be collected, and what has been, by the last collection and by all',
      example: 'lading gc status',
      run: showStatus,
    },
    {
      name: 'run',
      description: 'ask the servers to collect what is due now, instead of within ten minutes',
      options: [['--sweep', 'and to look for files that nothing knows of, instead of within a day']],
      example: 'lading gc run',
      run: askForRun,
    },
    {
      name: 'adopt',
      description: "make the folder of blobs this database's own, so that what it does not know may be deleted",
      settings: ['blobs'],
      example: 'lading gc adopt',
      run: adopt,
    },
  ],
}

async function showStatus({ output, settings, open }: Call): Promise<void> {
  const { metadata, clock } = await open()
  const { links, blobs, held, last, lastSweep } = await readCollectionStatus(metadata.reader, clock())
  const counters = await readCounters(metadata.reader)
  output.show({
    linksWaiting: links.count,
    linksWaitingSince: time(links.since),
    blobsWaiting: blobs.count,
    blobsWaitingSince: time(blobs.since),
    bytesWaiting: blobs.bytes,
    heldByBackup: held,
    lastSweep: time(lastSweep?.at),
    lastSweepFailed: lastSweep?.failure,
    lastCollection: time(last?.at),
    lastCollectedLinks: last?.collected.links,
    lastCollectedBlobs: last?.collected.blobs,
    lastCollectedBytes: last?.collected.bytes,
    lastCollectedUploads: last?.collected.uploads,
    collectedLinks: counters.get('lading_gc_links_total') ?? 0,
    collectedBlobs: counters.get('lading_gc_blobs_total') ?? 0,
    collectedBytes: counters.get('lading_gc_bytes_total') ?? 0,
    collectedUploads: counters.get('lading_gc_uploads_total') ?? 0,
  })
  if (lastSweep?.failure !== undefined)
    output.note(`The last sweep deleted no file that the database does not know: ${lastSweep.failure}.`)
  output.note(`A link goes once no image has needed it for ${settings.gcGraceHours} hours, and its blob soon after.`)
}

async function askForRun({ output, options: { sweep }, open }: Call): Promise<void> {
  const { metadata, clock } = await open()
  const at = clock()
  await metadata.transaction(async (trx) => {
    if (sweep === true) await enqueue(trx, sweepStore, {}, { at })
    await enqueue(trx, collectGarbage, {}, { at })
  })
  output.note('A server that runs begins within seconds: lading gc status tells what is left.')
}

async function adopt({ output, settings, open }: Call): Promise<void> {
  const { metadata } = await open()
  const blobs = await openSetting(settings, 'blobs', () => FileBlobStore.open(settings.blobs.path))
  await adoptStore({ metadata, blobs })
  const { files, unknown } = await countStored({ metadata, blobs })
  output.show({ folder: settings.blobs.path, files, unknown })
  output.note(
    unknown === 0
      ? 'The database knows all of them.'
      : `The next sweep, within a day, deletes those of the ${unknown} that are older than ${settings.gcGraceHours} hours.`,
  )
}
