// What is sent of an image, and in which order. Pure.

import type { Digest } from '#names/digest.ts'
import type { BlobReference, Manifest } from '#registry/manifest.ts'

/** Manifests of the source by their digests: an image, what it refers to, and what it is about. */
export type SourceGraph = ReadonlyMap<Digest, Pick<Manifest, 'blobs' | 'manifests' | 'subject'>>

export interface SendPlan {
  /** Each after all that it needs: its subject, then its children. */
  readonly manifests: readonly Digest[]
  /** All that these manifests need, each once. */
  readonly blobs: readonly Digest[]
}

/**
 * Leaves out what the destination has, and all below it: no registry has an index without its children, or an image without its blobs.
 * A subject that the source does not have is not waited for. Foreign layers are not sent: their publisher does not allow it.
 */
export function planSends(image: Digest, graph: SourceGraph, present: ReadonlySet<Digest>): SendPlan {
  const manifests = new Set<Digest>()
  const blobs = new Set<Digest>()

  function visit(digest: Digest): void {
    const manifest = graph.get(digest)
    if (manifest === undefined || manifests.has(digest) || present.has(digest)) return
    if (manifest.subject !== undefined) visit(manifest.subject)
    for (const child of manifest.manifests) visit(child.digest)
    for (const blob of manifest.blobs) if (isSent(blob)) blobs.add(blob.digest)
    manifests.add(digest)
  }

  visit(image)
  return { manifests: [...manifests], blobs: [...blobs] }
}

function isSent({ kind }: BlobReference): boolean {
  return kind !== 'foreign'
}

/** What a manifest leads to, the children first. */
export function nextOf({ manifests, subject }: Pick<Manifest, 'manifests' | 'subject'>): readonly Digest[] {
  const children = manifests.map(({ digest }) => digest)
  return subject === undefined ? children : [...children, subject]
}
