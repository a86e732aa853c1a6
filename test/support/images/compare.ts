/** What two folders with images, OCI layouts or skopeo's, have in common. */
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { digest } from './content.ts'

/** What each tool writes around the content in its own words. */
const wrapping = new Set(['index.json', 'oci-layout', 'version', 'ingest'])

/** The files of an OCI layout's or a `dir:` folder's content, with the digests of their bytes; sorted. */
export async function contentOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && !wrapping.has(entry.name))
  const lines = files.map(async ({ parentPath, name }) => {
    const path = join(parentPath, name)
    return `${relative(folder, path)} ${digest(await readFile(path))}`
  })
  return (await Promise.all(lines)).sort()
}
