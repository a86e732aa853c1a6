/** What must hold once nobody pushes any more and all that was due has been done. */
import assert from 'node:assert/strict'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Metadata } from '#metadata/metadata.ts'

/** How much is left to do at the cluster's time: nothing, once it is 0. */
export async function countLeft({ reader }: Metadata, now: number): Promise<Record<string, number>> {
  const count = async (rows: Promise<readonly unknown[]>) => (await rows).length
  return {
    jobs: await count(
      reader
        .selectFrom('job')
        .select('id')
        .where(({ or, and, eb }) =>
          or([eb('state', '=', 'running'), and([eb('state', '=', 'waiting'), eb('run_at', '<=', now)])]),
        )
        .execute(),
    ),
    links: await count(reader.selectFrom('link_candidate').select('digest').execute()),
    blobs: await count(reader.selectFrom('blob_candidate').select('digest').execute()),
    uploads: await count(reader.selectFrom('upload').select('id').execute()),
    deletedImages: await count(reader.selectFrom('deleted_image').select('digest').execute()),
    deletedRepositories: await count(reader.selectFrom('deleted_repository').select('repository_id').execute()),
  }
}

/** Every image has its content, every blob is linked, every link is needed, and the disk holds these blobs and nothing else. */
export async function requireClean(
  { reader }: Metadata,
  blobsFolder: string,
): Promise<{ blobs: number; bytes: number }> {
  const blobs = await reader.selectFrom('blob').select(['digest', 'size']).execute()
  const links = await reader.selectFrom('repository_blob').select(['repository_id', 'digest']).execute()
  const references = await reader
    .selectFrom('manifest_reference')
    .select(['repository_id', 'child as digest'])
    .where('kind', '!=', 'manifest')
    .execute()
  const keyOf = (row: { repository_id: number; digest: string }) => `${row.repository_id} ${row.digest}`
  const needed = new Set(references.map(keyOf))
  const linked = new Set(links.map(({ digest }) => digest))
  assert.deepEqual(new Set(links.map(keyOf)), needed, 'a link is there for each need, and for nothing else')
  assert.deepEqual(new Set(blobs.map(({ digest }) => digest)), linked, 'a blob is there for each link')

  const images = await Promise.all(
    (['manifest', 'deleted_image', 'manifest_content'] as const).map((table) =>
      reader.selectFrom(table).select(['repository_id', 'digest']).execute(),
    ),
  )
  const [live = [], deleted = [], contents = []] = images.map((rows) => rows.map(keyOf))
  assert.deepEqual(new Set(contents), new Set([...live, ...deleted]), 'content is there for each image, and no other')

  const files = new Map<string, number>()
  for (const path of await readdir(blobsFolder, { recursive: true })) {
    const stats = await stat(join(blobsFolder, path))
    if (stats.isFile() && path !== 'store-id') files.set(path, stats.size)
  }
  const expected = blobs.map(({ digest, size }) => {
    const [algorithm = '', hex = ''] = digest.split(':')
    return [join(algorithm, hex.slice(0, 2), hex), size] as const
  })
  const compare = ([a]: readonly [string, number], [b]: readonly [string, number]) => (a < b ? -1 : 1)
  assert.deepEqual([...files].sort(compare), expected.toSorted(compare), 'a file is there for each blob, and no other')
  return { blobs: blobs.length, bytes: blobs.reduce((sum, { size }) => sum + size, 0) }
}
