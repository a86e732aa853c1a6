/**
 * Folders of skopeo's `dir:` transport: one image with its manifests and contents as files. Unlike an OCI layout, which
 * skopeo reads for OCI's own media types only, it carries Docker schema 2 byte for byte.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { digestHex } from '#names/digest.ts'
import { type Image, manifestsOf } from './build.ts'

/** Writes `image` and all below it into `folder`, which is made. */
export async function writeDirectory(folder: string, image: Image): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'version'), 'Directory Transport Version: 1.1\n')
  for (const manifest of manifestsOf(image)) {
    for (const { digest, bytes } of manifest.blobs) await writeFile(join(folder, digestHex(digest)), bytes)
    const name = manifest === image ? 'manifest.json' : `${digestHex(manifest.digest)}.manifest.json`
    await writeFile(join(folder, name), manifest.bytes)
  }
}
