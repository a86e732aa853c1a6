import { type Kysely, sql } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/**
 * Manifests refer to foreign layers too: a pushed one stays while an image needs it, and counts in the image's size. Manifests that were
 * stored before get these references. Restoring counts the size of a deleted image again, so only others are counted here.
 */
export async function foreignLayers(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await addAllReferences(db, types, 'deleted_image', 'deleted_image_reference')
  await countSizes(db, await addAllReferences(db, types, 'manifest', 'manifest_reference'))
}

/** Returns the images that have foreign layers. */
async function addAllReferences(
  db: Kysely<unknown>,
  types: ColumnTypes,
  images: string,
  references: string,
): Promise<readonly ImageKey[]> {
  const changed: ImageKey[] = []
  for (const image of await findImages(db, types, images)) {
    const { rows } = await sql<{ body: Uint8Array }>`
      select body from ${sql.table(images)}
      where repository_id = ${image.repository_id} and digest = ${image.digest}`.execute(db)
    const layers = rows.flatMap(({ body }) => foreignLayersOf(body))
    await addReferences(db, references, image, layers)
    if (layers.length > 0) changed.push(image)
  }
  return changed
}

interface ImageKey {
  readonly repository_id: number
  readonly digest: string
}

const markers = ['rootfs.foreign.diff.tar', 'layer.nondistributable.v1.tar']

/** Those with a body that has one of the markers, found by the database: bodies are large, and few have one. */
async function findImages(db: Kysely<unknown>, { position }: ColumnTypes, table: string): Promise<readonly ImageKey[]> {
  const [docker, oci] = markers.map((marker) => position('body', marker))
  const { rows } = await sql<ImageKey>`
    select repository_id, digest from ${sql.table(table)} where ${docker} > 0 or ${oci} > 0`.execute(db)
  return rows
}

const foreign =
  /^application\/vnd\.(?:oci\.image\.layer\.nondistributable\.v1\.tar|docker\.image\.rootfs\.foreign\.diff\.tar)/

async function addReferences(
  db: Kysely<unknown>,
  table: string,
  { repository_id, digest }: ImageKey,
  layers: readonly Layer[],
): Promise<void> {
  for (const layer of layers) {
    await sql`
      insert into ${sql.table(table)} (repository_id, parent, child, kind, media_type)
      values (${repository_id}, ${digest}, ${layer.digest}, 'foreign', ${layer.mediaType})
      on conflict do nothing`.execute(db)
  }
}

interface Layer {
  readonly mediaType: string
  readonly digest: string
}

/** A stored manifest was parsed once, so its descriptors have a media type and a digest. One that is damaged since has none. */
function foreignLayersOf(body: Uint8Array): Layer[] {
  let manifest: { readonly layers?: readonly Layer[]; readonly manifests?: readonly Layer[] }
  try {
    manifest = JSON.parse(Buffer.from(body).toString('utf8'))
  } catch {
    return []
  }
  return [...(manifest.layers ?? []), ...(manifest.manifests ?? [])]
    .map(({ mediaType, digest }) => ({ mediaType: mediaType.split(';', 1)[0]?.trimEnd() ?? '', digest }))
    .filter(({ mediaType }) => foreign.test(mediaType))
}

/** Images first, then the indexes above them, each by its key: a repository may have a hundred thousand images. */
async function countSizes(db: Kysely<unknown>, images: readonly ImageKey[]): Promise<void> {
  for (const { repository_id, digest } of images) {
    await sql`
      update manifest set image_size = coalesce((
        select sum(blob.size) from blob where blob.digest in (
          select link.digest from manifest_reference as reference
          join repository_blob as link on link.repository_id = reference.repository_id and link.digest = reference.child
          where reference.repository_id = ${repository_id} and reference.parent = ${digest} and reference.kind <> 'manifest'
        )
      ), 0)
      where manifest.repository_id = ${repository_id} and manifest.digest = ${digest} and not exists (
        select 1 from manifest_reference as reference
        where reference.repository_id = ${repository_id} and reference.parent = ${digest} and reference.kind = 'manifest'
      )`.execute(db)
  }
  for (let level = await findIndexes(db, images); level.length > 0; level = await findIndexes(db, level)) {
    for (const index of level) await countIndex(db, index)
  }
}

async function countIndex(db: Kysely<unknown>, { repository_id, digest }: ImageKey): Promise<void> {
  await sql`
    update manifest set image_size = (
      select max(child.image_size) from manifest_reference as reference
      join manifest as child on child.repository_id = reference.repository_id and child.digest = reference.child
      where reference.repository_id = ${repository_id} and reference.parent = ${digest} and reference.kind = 'manifest'
    )
    where manifest.repository_id = ${repository_id} and manifest.digest = ${digest}`.execute(db)
}

/** Each index that lists any of the images, once. */
async function findIndexes(db: Kysely<unknown>, images: readonly ImageKey[]): Promise<readonly ImageKey[]> {
  const indexes = new Map<string, ImageKey>()
  for (const { repository_id, digest } of images) {
    const { rows } = await sql<ImageKey>`
      select repository_id, parent as digest from manifest_reference
      where repository_id = ${repository_id} and child = ${digest} and kind = 'manifest'`.execute(db)
    for (const index of rows) indexes.set(`${index.repository_id} ${index.digest}`, index)
  }
  return [...indexes.values()]
}
