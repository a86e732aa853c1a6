/** A repository of some thousand images of every kind, by their rows, a policy for it, and what that takes. */
import type { Metadata } from '#metadata/metadata.ts'
import { artifact, type Image, index } from '#test/support/images/build.ts'

const dayMs = 86_400_000
const rowsAtOnce = 500

export const policy = JSON.stringify({
  rules: [
    rule(1, { tagStatus: 'tagged', tagPatternList: ['v*'], countType: 'imageCountMoreThan', countNumber: 300 }),
    rule(2, { tagStatus: 'tagged', tagPrefixList: ['multi'], ...olderThan(10) }),
    rule(3, { tagStatus: 'untagged', ...olderThan(1) }),
  ],
})

function olderThan(countNumber: number) {
  return { countType: 'sinceImagePushed', countUnit: 'days', countNumber }
}

function rule(rulePriority: number, selection: object) {
  return { rulePriority, selection, action: { type: 'expire' } }
}

export interface Filled {
  readonly image: Image
  readonly tags: readonly string[]
  readonly pushedAt: number
  readonly subject?: Image
  readonly goes: boolean
}

/** Releases of which some are signed, indexes with two children each, of which some are young, and others without a rule. */
export function* images(now: number): Generator<Filled> {
  for (let at = 0; at < 1_500; at++) {
    const image = one(`release ${at}`)
    const release = { pushedAt: now - 5 * dayMs + at, goes: at < 1_200 }
    yield { ...release, image, tags: [`v${at}`, ...(at % 50 === 0 ? [`version-${at}`] : [])] }
    if (at % 10 > 0) continue
    yield { ...release, image: artifact({ artifactType: 'a/signature', subject: image }), subject: image, tags: [] }
  }
  for (let at = 0; at < 100; at++) {
    const children = [one(`left ${at}`), one(`right ${at}`)]
    const both = at < 60 ? { pushedAt: now - 11 * dayMs, goes: true } : { pushedAt: now - 5 * dayMs, goes: false }
    for (const image of children) yield { ...both, image, tags: [] }
    yield { ...both, image: index({ children }), tags: [`multi-${at}`] }
  }
  for (let at = 0; at < 50; at++) {
    yield { image: one(`kept ${at}`), tags: [`kept-${at}`], pushedAt: now - 99 * dayMs, goes: false }
  }
}

function one(what: string): Image {
  return index({ children: [], annotations: { what } })
}

export async function fill(metadata: Metadata, repositoryId: number, images: readonly Filled[]): Promise<void> {
  const id = { repository_id: repositoryId }
  for (let from = 0; from < images.length; from += rowsAtOnce) {
    const some = images.slice(from, from + rowsAtOnce)
    const manifests = some.map(({ image, subject, pushedAt }) => ({
      ...{ ...id, digest: image.digest, media_type: image.mediaType, image_size: 1_000 },
      ...{ artifact_type: null, subject: subject?.digest ?? null },
      ...{ pushed_at: pushedAt, pulled_at: null },
    }))
    const tags = some.flatMap(({ image, tags, pushedAt }) =>
      tags.map((tag) => ({ ...id, tag, digest: image.digest, moved_at: pushedAt })),
    )
    const references = some.flatMap(({ image }) =>
      image.children.map(({ digest, mediaType }) => ({
        ...{ ...id, parent: image.digest, child: digest, kind: 'manifest', media_type: mediaType },
      })),
    )
    const contents = some.map(({ image }) => ({ ...id, digest: image.digest, annotations: null, body: image.bytes }))
    await metadata.transaction(async (trx) => {
      await trx.insertInto('manifest').values(manifests).execute()
      await trx.insertInto('manifest_content').values(contents).execute()
      if (tags.length > 0) await trx.insertInto('tag').values(tags).execute()
      if (references.length > 0) await trx.insertInto('manifest_reference').values(references).execute()
    })
  }
}
