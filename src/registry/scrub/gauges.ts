import type { Reader } from '#metadata/metadata.ts'

/** What is damaged by now, for metrics: unlike what was ever found, it goes back to 0 once all of it is whole. */
export const damageGauges = [
  {
    name: 'lading_quarantined_blobs',
    help: 'Blobs that are in quarantine, and that nobody is served.',
    read: async (reader: Reader) => (await readQuarantine(reader)).blobs,
  },
  {
    name: 'lading_quarantined_bytes',
    help: 'Bytes that the blobs in quarantine had when they were whole.',
    read: async (reader: Reader) => (await readQuarantine(reader)).bytes,
  },
  {
    name: 'lading_damaged_manifests',
    help: 'Manifests that the last round of the scrub found damaged, or that this one did.',
    read: countDamagedManifests,
  },
] as const

export async function countDamagedManifests(reader: Reader): Promise<number> {
  const { count } = await reader
    .selectFrom('damaged_manifest')
    .select(({ fn }) => fn.countAll().as('count'))
    .executeTakeFirstOrThrow()
  return Number(count)
}

async function readQuarantine(reader: Reader): Promise<{ readonly blobs: number; readonly bytes: number }> {
  const { blobs, bytes } = await reader
    .selectFrom('blob')
    .select(({ fn }) => [fn.countAll().as('blobs'), fn.sum('size').as('bytes')])
    .where('quarantined_at', 'is not', null)
    .executeTakeFirstOrThrow()
  return { blobs: Number(blobs), bytes: Number(bytes ?? 0) }
}
