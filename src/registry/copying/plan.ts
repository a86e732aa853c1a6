import type { Reader } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import type { MediaType } from '#names/media-type.ts'
import { inParts } from './parts.ts'

/**
 * Which manifests a copy of images needs at its destination. Reads the source from the images down to their children and up to their
 * subjects, and stops at what the destination has: that is complete there.
 */
export interface CopyPlan {
  /** Those of the images that the source has and has not archived. */
  readonly available: ReadonlyMap<Digest, Omit<AbsentManifest, 'children'>>
  /** What the destination lacks, each after its children and its subject. */
  readonly absent: readonly AbsentManifest[]
  /** What the copy relies on and the destination has. */
  readonly present: ReadonlySet<Digest>
}

export interface AbsentManifest {
  readonly digest: Digest
  readonly mediaType: MediaType
  readonly artifactType: string | undefined
  readonly subject: Digest | undefined
  readonly children: readonly Digest[]
  /** Of the manifest itself. */
  readonly sizeBytes: number
  /** When it was pushed to the source. Milliseconds since the epoch. */
  readonly pushedAt: number
}

/** The numbers of two repositories. */
export interface Ways {
  readonly from: number
  readonly to: number
}

/** Which of these images the destination had and deleted by itself. A subject among them stays deleted. */
export type FindDeleted = (
  reader: Reader,
  repositoryId: number,
  digests: readonly Digest[],
) => Promise<ReadonlySet<Digest>>

export async function planCopy(
  reader: Reader,
  { from, to }: Ways,
  images: readonly Digest[],
  findDeleted: FindDeleted,
): Promise<CopyPlan> {
  const available = new Map<Digest, Omit<AbsentManifest, 'children'>>()
  const absent = new Map<Digest, AbsentManifest>()
  const present = new Set<Digest>()
  const seen = new Set<Digest>()
  for (let level = [...new Set(images)], at = 0; level.length > 0; at++) {
    for (const digest of level) seen.add(digest)
    for (const digest of await findPresent(reader, to, level)) present.add(digest)
    const active = await readActive(reader, from, level)
    if (at === 0) for (const one of active) available.set(one.digest, one)
    const lacking = active.filter(({ digest }) => !present.has(digest))
    const children = await readChildren(reader, from, lacking)
    for (const one of lacking) absent.set(one.digest, { ...one, children: children.get(one.digest) ?? [] })
    const subjects = [...new Set(lacking.flatMap(({ subject }) => subject ?? []))]
    const deleted = subjects.length === 0 ? noDigests : await findDeleted(reader, to, subjects)
    const next = [...children.values()].flat().concat(subjects.filter((subject) => !deleted.has(subject)))
    level = [...new Set(next)].filter((digest) => !seen.has(digest))
  }
  return { available, absent: afterTheirNeeds(absent), present }
}

const noDigests: ReadonlySet<Digest> = new Set()

/** Each manifest after those of the others that it refers to. No digest refers to itself, not even through others. */
export function afterTheirNeeds<One extends Pick<AbsentManifest, 'digest' | 'subject' | 'children'>>(
  manifests: ReadonlyMap<Digest, One>,
): readonly One[] {
  const waiting = new Map<Digest, number>()
  const neededBy = new Map<Digest, Digest[]>()
  for (const { digest, subject, children } of manifests.values()) {
    const needs = new Set(subject === undefined ? children : [...children, subject])
    let count = 0
    for (const need of needs) {
      if (!manifests.has(need)) continue
      const others = neededBy.get(need)
      if (others === undefined) neededBy.set(need, [digest])
      else others.push(digest)
      count++
    }
    waiting.set(digest, count)
  }
  const ordered: One[] = []
  let ready = [...manifests.values()].filter(({ digest }) => waiting.get(digest) === 0)
  while (ready.length > 0) {
    ordered.push(...ready)
    const next: One[] = []
    for (const digest of ready.flatMap((one) => neededBy.get(one.digest) ?? [])) {
      const left = (waiting.get(digest) ?? 0) - 1
      waiting.set(digest, left)
      const one = manifests.get(digest)
      if (left === 0 && one !== undefined) next.push(one)
    }
    ready = next
  }
  return ordered
}

export async function findPresent(reader: Reader, repositoryId: number, digests: readonly Digest[]): Promise<Digest[]> {
  const rows = await inParts(digests, (some) =>
    reader
      .selectFrom('manifest')
      .select('digest')
      .where('repository_id', '=', repositoryId)
      .where('digest', 'in', some)
      .execute(),
  )
  return rows.map(({ digest }) => parseDigest(digest))
}

/** An archived image is not copied. */
async function readActive(
  reader: Reader,
  repositoryId: number,
  digests: readonly Digest[],
): Promise<readonly Omit<AbsentManifest, 'children'>[]> {
  const rows = await inParts(digests, (some) =>
    reader
      .selectFrom('manifest')
      .innerJoin('manifest_content as content', (join) =>
        join
          .onRef('content.repository_id', '=', 'manifest.repository_id')
          .onRef('content.digest', '=', 'manifest.digest'),
      )
      .select(['manifest.digest', 'media_type', 'artifact_type', 'subject', 'pushed_at'])
      .select(({ fn }) => fn<number>('length', ['content.body']).as('size'))
      .where('manifest.repository_id', '=', repositoryId)
      .where('manifest.digest', 'in', some)
      .where('status', '=', 'ACTIVE')
      .execute(),
  )
  return rows.map((row) => ({
    digest: parseDigest(row.digest),
    // Columns hold what was parsed when it was written.
    mediaType: row.media_type as MediaType,
    artifactType: row.artifact_type ?? undefined,
    subject: row.subject === null ? undefined : parseDigest(row.subject),
    sizeBytes: row.size,
    pushedAt: row.pushed_at,
  }))
}

async function readChildren(
  reader: Reader,
  repositoryId: number,
  parents: readonly { readonly digest: Digest }[],
): Promise<ReadonlyMap<Digest, readonly Digest[]>> {
  const rows = await inParts(
    parents.map(({ digest }) => digest),
    (some) =>
      reader
        .selectFrom('manifest_reference')
        .select(['parent', 'child'])
        .where('repository_id', '=', repositoryId)
        .where('parent', 'in', some)
        .where('kind', '=', 'manifest')
        .execute(),
  )
  const children = new Map<Digest, Digest[]>()
  for (const { parent, child } of rows) {
    const of = parseDigest(parent)
    const others = children.get(of)
    if (others === undefined) children.set(of, [parseDigest(child)])
    else others.push(parseDigest(child))
  }
  return children
}
