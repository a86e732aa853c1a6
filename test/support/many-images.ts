import { DatabaseSync } from 'node:sqlite'
import { digest } from '#test/support/images/content.ts'

/**
 * Writes so many images, each with a tag, into a repository of the SQLite database at that path, which a server may have open: to push
 * them would take minutes. Answers their digests, the oldest first.
 */
export function fillRepository(path: string, repositoryName: string, images: number): string[] {
  const database = new DatabaseSync(path)
  const row = database.prepare('select id from repository where name = ?').get(repositoryName)
  const insertManifest = database.prepare(
    'insert into manifest (repository_id, digest, media_type, image_size, pushed_at) values (?, ?, ?, 1000, ?)',
  )
  const insertContent = database.prepare(
    "insert into manifest_content (repository_id, digest, body) values (?, ?, '{}')",
  )
  const insertTag = database.prepare('insert into tag (repository_id, digest, tag, moved_at) values (?, ?, ?, ?)')
  const digests = Array.from({ length: images }, (_, at) => digest(Buffer.from(`image ${at}`)))
  const began = Date.now() - images
  database.exec('begin immediate')
  for (const [at, digest] of digests.entries()) {
    insertManifest.run(Number(row?.id), digest, 'application/vnd.oci.image.manifest.v1+json', began + at)
    insertContent.run(Number(row?.id), digest)
    insertTag.run(Number(row?.id), digest, `v${at}`, began + at)
  }
  database.exec('commit')
  database.close()
  return digests
}
