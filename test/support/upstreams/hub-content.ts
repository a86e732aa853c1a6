/** What a stand-in for a registry holds: manifests, tags and blobs in memory, changed by the test at any time. */
import { type Digest, isDigest } from '#names/digest.ts'
import { type Blob, type Image, manifestsOf } from '#test/support/images/build.ts'
import { digest as digestBytes } from '#test/support/images/content.ts'

export interface HeldManifest {
  readonly mediaType: string
  readonly digest: Digest
  readonly bytes: Uint8Array
}

export class HubContent {
  readonly #manifests = new Map<string, HeldManifest>()
  readonly #tags = new Map<string, Digest>()
  readonly #blobs = new Map<string, Uint8Array>()

  /** Adds an image or index with all that it refers to, and moves `tags` to it. */
  push(repository: string, image: Image, ...tags: readonly string[]): void {
    for (const each of manifestsOf(image)) {
      for (const blob of each.blobs) this.putBlob(repository, blob)
      this.putManifest(repository, each)
    }
    for (const tag of tags) this.tag(repository, tag, image.digest)
  }

  putManifest(repository: string, { mediaType, digest, bytes }: HeldManifest): void {
    this.#manifests.set(`${repository}@${digest}`, { mediaType, digest, bytes })
  }

  putBlob(repository: string, { digest, bytes }: Pick<Blob, 'digest' | 'bytes'>): void {
    this.#blobs.set(`${repository}@${digest}`, bytes)
  }

  tag(repository: string, tag: string, digest: Digest): void {
    this.#tags.set(`${repository}:${tag}`, digest)
  }

  /** By tag: the tag alone. By digest: the manifest, which an index may still list. */
  removeManifest(repository: string, reference: string): void {
    if (isDigest(reference)) this.#manifests.delete(`${repository}@${reference}`)
    else this.#tags.delete(`${repository}:${reference}`)
  }

  removeBlob(repository: string, digest: Digest): void {
    this.#blobs.delete(`${repository}@${digest}`)
  }

  manifest(repository: string, reference: string): HeldManifest | undefined {
    const digest = isDigest(reference) ? reference : this.#tags.get(`${repository}:${reference}`)
    return this.#manifests.get(`${repository}@${digest}`) ?? this.#sameManifest(repository, reference)
  }

  blob(repository: string, digest: string): Uint8Array | undefined {
    return this.#blobs.get(`${repository}@${digest}`)
  }

  tags(repository: string): string[] {
    const start = `${repository}:`
    return [...this.#tags.keys()].filter((each) => each.startsWith(start)).map((each) => each.slice(start.length))
  }

  /** Descriptors of the manifests with this subject. */
  referrers(repository: string, subject: string): object[] {
    return [...this.#manifests]
      .filter(([key]) => key.startsWith(`${repository}@`))
      .flatMap(([, { mediaType, digest, bytes }]) => {
        const manifest: unknown = JSON.parse(Buffer.from(bytes).toString())
        return subjectOf(manifest) === subject
          ? [{ mediaType, digest, size: bytes.byteLength, ...about(manifest) }]
          : []
      })
  }

  /** By the other algorithm than the one that it was added under. */
  #sameManifest(repository: string, reference: string): HeldManifest | undefined {
    if (!reference.startsWith('sha512:')) return undefined
    return [...this.#manifests]
      .filter(([key]) => key.startsWith(`${repository}@`))
      .map(([, held]) => held)
      .find(({ bytes }) => digestBytes(bytes, 'sha512') === reference)
  }
}

function subjectOf(manifest: unknown): unknown {
  const { subject } = manifest as { subject?: { digest?: unknown } }
  return subject?.digest
}

function about(manifest: unknown): object {
  const { artifactType, config, annotations } = manifest as {
    artifactType?: string
    config?: { mediaType: string }
    annotations?: object
  }
  return { artifactType: artifactType ?? config?.mediaType, ...(annotations && { annotations }) }
}
