/**
 * The images that real clients carry in and out of a running server, one for each kind that people push. As a program
 * (`node test/support/images/samples.ts`) it makes them all and prints where they are.
 */
import { amd64, arm64, artifact, type Image, image, index, layer, type Platform } from './build.ts'
import { cached } from './cache.ts'
import { debianPrograms, makeDebianLayout } from './debian.ts'
import { writeDirectory } from './directory.ts'
import { writeLayout } from './layout.ts'

export interface Sample {
  name: string
  /** How skopeo reads it: from an OCI layout, under its own name as tag, or from a folder of its `dir:` transport. */
  transport: 'oci' | 'dir'
  /** What a container engine makes of it: an image that it can hold, or nothing. */
  runnable: boolean
  /** Programs that making it takes, beside Node. */
  programs: readonly string[]
  make: (folder: string) => Promise<void>
}

const artifactType = 'application/vnd.lading.sample'

export const samples: readonly Sample[] = [
  inLayout('small', () => image({ layers: [layer({ 'etc/motd': 'a bill of lading\n' }), 10_000] })),
  inLayout('multi-arch', () => index({ children: [onPlatform(amd64), onPlatform(arm64)] })),
  { ...inLayout('artifact', () => artifact({ artifactType, blobs: [Buffer.from('{}\n')] })), runnable: false },
  inFolder('docker-schema-2', () => image({ format: 'docker', layers: [50_000, 1_000], seed: 'docker' })),
  inFolder('docker-list', () =>
    index({ format: 'docker', children: [onPlatform(amd64, 'docker'), onPlatform(arm64, 'docker')] }),
  ),
  inLayout('ten-layers', tenLayers),
  { name: 'debian', transport: 'oci', runnable: true, programs: debianPrograms, make: makeDebianLayout },
]

/** Makes the sample, unless this machine has it already, and gives its name as skopeo takes it. */
export async function sampleSource(sample: Sample): Promise<string> {
  const folder = await sampleFolder(sample)
  return sample.transport === 'oci' ? `oci:${folder}:${sample.name}` : `dir:${folder}`
}

/** The folder of the sample, made unless this machine has it already. */
export async function sampleFolder({ name, make }: Sample): Promise<string> {
  return await cached(`${name}-1`, make)
}

/** An image with ten layers of 3 to 57 MB, some 300 MB in all, that do not compress. */
function tenLayers(): Image {
  const sizes = Array.from({ length: 10 }, (_, place) => (3 + 6 * place) * 1_000_000)
  return image({ layers: sizes, seed: 'ten layers' })
}

function onPlatform(platform: Platform, format: 'oci' | 'docker' = 'oci'): Image {
  return image({ platform, format, layers: [20_000], seed: `${format}/${platform.architecture}` })
}

function inLayout(name: string, build: () => Image): Sample {
  const make = (folder: string) => writeLayout(folder, build(), name)
  return { name, transport: 'oci', runnable: true, programs: [], make }
}

function inFolder(name: string, build: () => Image): Sample {
  const make = (folder: string) => writeDirectory(folder, build())
  return { name, transport: 'dir', runnable: true, programs: [], make }
}

if (import.meta.main) {
  for (const sample of samples) console.log(await sampleSource(sample))
}
