import { createHash } from 'node:crypto'
import type { BlobStore } from '#blobs/store.ts'
import type { Reader } from '#metadata/metadata.ts'
import { type Digest, digestAlgorithm, digestHex, parseDigest } from '#names/digest.ts'
import type { Damage } from '#registry/linked-blobs.ts'
import { selectServed } from '#registry/served-blobs.ts'
import { inParts } from './parts.ts'
import type { AbsentManifest } from './plan.ts'

/** What is wrong at the source with an image, or with what it needs. */
export type CopyProblem =
  | { readonly kind: 'gone' }
  | { readonly kind: 'damaged manifest'; readonly digest: Digest }
  | { readonly kind: 'missing blob'; readonly digest: Digest }

/** What some manifests need that their source has whole. */
export interface Proof {
  readonly problems: ReadonlyMap<Digest, CopyProblem>
  /** Of the others: the blobs that they need, and foreign layers that the source links. */
  readonly blobs: ReadonlySet<Digest>
  /** Those of the manifests that refer to foreign layers. */
  readonly withForeign: ReadonlySet<Digest>
}

export interface ProofParts {
  readonly reader: Reader
  readonly blobs: BlobStore
  readonly onDamage: (damage: Damage) => void
}

/** Hashes the manifests and looks for the files of their blobs, before the transaction that copies the rows. */
export async function proveContent(
  parts: ProofParts,
  from: number,
  manifests: readonly AbsentManifest[],
): Promise<Proof> {
  const digests = manifests.map(({ digest }) => digest)
  const problems = new Map<Digest, CopyProblem>()
  const whole = await findWhole(parts.reader, from, digests)
  for (const digest of digests) if (!whole.has(digest)) problems.set(digest, { kind: 'damaged manifest', digest })

  const references = await inParts([...whole], (some) =>
    parts.reader
      .selectFrom('manifest_reference')
      .select(['parent', 'child', 'kind'])
      .where('repository_id', '=', from)
      .where('parent', 'in', some)
      .where('kind', '!=', 'manifest')
      .execute(),
  )
  const served = await findWholeBlobs(parts, from, [...new Set(references.map(({ child }) => parseDigest(child)))])
  for (const { parent, child, kind } of references) {
    if (kind === 'foreign' || served.has(child)) continue
    problems.set(parseDigest(parent), { kind: 'missing blob', digest: parseDigest(child) })
  }

  const blobs = new Set<Digest>()
  const withForeign = new Set<Digest>()
  for (const { parent, child, kind } of references) {
    // Digests of rows, which were parsed when they were written.
    if (problems.has(parent as Digest)) continue
    if (kind === 'foreign') withForeign.add(parent as Digest)
    if (served.has(child)) blobs.add(child as Digest)
  }
  return { problems, blobs, withForeign }
}

async function findWhole(reader: Reader, from: number, digests: readonly Digest[]): Promise<ReadonlySet<Digest>> {
  const rows = await inParts(digests, (some) =>
    reader
      .selectFrom('manifest_content')
      .select(['digest', 'body'])
      .where('repository_id', '=', from)
      .where('digest', 'in', some)
      .execute(),
  )
  const whole = new Set<Digest>()
  for (const { digest: text, body } of rows) {
    const digest = parseDigest(text)
    const computed = createHash(digestAlgorithm(digest)).update(body).digest('hex')
    if (computed === digestHex(digest)) whole.add(digest)
  }
  return whole
}

/** Far fewer than the threads that look at files could do, so that requests have their turn. */
const looksAtOnce = 16

async function findWholeBlobs(
  { reader, blobs, onDamage }: ProofParts,
  from: number,
  digests: readonly Digest[],
): Promise<ReadonlySet<string>> {
  const rows = await inParts(digests, (some) => selectServed(reader, from, some).execute())
  const whole = new Set<string>()
  for (let first = 0; first < rows.length; first += looksAtOnce) {
    await Promise.all(
      rows.slice(first, first + looksAtOnce).map(async ({ digest: text, size: sizeBytes }) => {
        const digest = parseDigest(text)
        const stored = await blobs.stat(digest)
        if (stored?.sizeBytes === sizeBytes) whole.add(text)
        else onDamage({ digest, sizeBytes, storedBytes: stored?.sizeBytes })
      }),
    )
  }
  return whole
}
