/**
 * OCI image layouts on disk (OCI image specification, "Image Layout"): the form in which real clients take images from
 * a folder and put them into one. Writing adds to a layout that is there.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Blob, type Descriptor, descriptor, type Image, manifestsOf, mediaTypes } from './build.ts'

const tagAnnotation = 'org.opencontainers.image.ref.name'

/** Writes `image` and all below it; under `tag`, or, without one, by its digest alone, as referrers are. */
export async function writeLayout(folder: string, image: Image, tag?: string): Promise<void> {
  await mkdir(join(folder, 'blobs'), { recursive: true })
  for (const manifest of manifestsOf(image)) {
    for (const each of [...manifest.blobs, manifest]) await writeBlob(folder, each)
  }
  const entry = { ...descriptor(image), ...(tag !== undefined && { annotations: { [tagAnnotation]: tag } }) }
  const others = (await layoutIndex(folder)).filter((other) => tag === undefined || tagOf(other) !== tag)
  const index = { schemaVersion: 2, mediaType: mediaTypes.oci.index, manifests: [...others, entry] }
  await writeFile(join(folder, 'index.json'), JSON.stringify(index))
  await writeFile(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
}

/** The descriptors of a layout's `index.json`; none where there is no layout. */
async function layoutIndex(folder: string): Promise<Descriptor[]> {
  const text = await readFile(join(folder, 'index.json'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{"manifests":[]}'
    throw error
  })
  // A file written by ourselves or by a client under test: the shape is the specification's.
  return (JSON.parse(text) as { manifests: Descriptor[] }).manifests
}

/** Where a layout keeps the content of a digest. */
function blobPath(folder: string, digest: string): string {
  return join(folder, 'blobs', ...digest.split(':'))
}

function tagOf(entry: Descriptor): string | undefined {
  return entry.annotations?.[tagAnnotation]
}

async function writeBlob(folder: string, { digest, bytes }: Pick<Blob, 'digest' | 'bytes'>): Promise<void> {
  const path = blobPath(folder, digest)
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, bytes)
}
