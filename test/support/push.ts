/** Pushing and pulling an image by the distribution API, step by step as docker does it, over plain `fetch`. */
import assert from 'node:assert/strict'
import { type Blob, type Image, manifestsOf } from '#test/support/images/build.ts'
import { digest } from '#test/support/images/content.ts'

/** Where to, and as whom. */
export interface Registry {
  readonly url: string
  /** The value of the `Authorization` header. */
  readonly authorization: string
}

export async function request(
  { url, authorization }: Registry,
  path: string,
  init: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> } = {},
): Promise<Response> {
  return fetch(new URL(path, url), { ...init, headers: { authorization, ...init.headers } })
}

/** Uploads by POST, PATCH and PUT, whether or not the blob is there. Resolves when the blob is acknowledged. */
export async function pushBlob(registry: Registry, repository: string, { bytes, digest }: Blob): Promise<void> {
  const started = await expect(202, request(registry, `/v2/${repository}/blobs/uploads/`, { method: 'POST' }))
  const location = locationOf(started)
  await expect(202, request(registry, location, { method: 'PATCH', body: new Uint8Array(bytes) }))
  await expect(201, request(registry, `${location}?digest=${digest}`, { method: 'PUT' }))
}

/** Resolves when the manifest, under its tag or digest, is acknowledged. */
export async function pushManifest(
  registry: Registry,
  repository: string,
  { bytes, mediaType, digest }: Image,
  tag?: string,
): Promise<void> {
  const path = `/v2/${repository}/manifests/${tag ?? digest}`
  const headers = { 'content-type': mediaType }
  await expect(201, request(registry, path, { method: 'PUT', headers, body: new Uint8Array(bytes) }))
}

/** Pushes all of an image, children first. */
export async function pushImage(registry: Registry, repository: string, image: Image, tag?: string): Promise<void> {
  for (const manifest of manifestsOf(image)) {
    for (const blob of manifest.blobs) await pushBlob(registry, repository, blob)
    await pushManifest(registry, repository, manifest, manifest === image ? tag : undefined)
  }
}

/** Pulls a manifest and everything below it; each content must hash to its digest. Gives the digest pulled. */
export async function pullWhole(registry: Registry, repository: string, reference: string): Promise<string> {
  const answer = await expect(200, request(registry, `/v2/${repository}/manifests/${reference}`))
  const body = Buffer.from(await answer.arrayBuffer())
  const pulled = digest(body)
  assert.equal(answer.headers.get('docker-content-digest'), pulled)
  if (reference.includes(':')) assert.equal(pulled, reference)
  const manifest = JSON.parse(body.toString()) as {
    config?: { digest: string }
    layers?: { digest: string }[]
    manifests?: { digest: string }[]
  }
  for (const child of manifest.manifests ?? []) await pullWhole(registry, repository, child.digest)
  for (const blob of [...(manifest.config ? [manifest.config] : []), ...(manifest.layers ?? [])]) {
    const content = await expect(200, request(registry, `/v2/${repository}/blobs/${blob.digest}`))
    assert.equal(digest(Buffer.from(await content.arrayBuffer())), blob.digest)
  }
  return pulled
}

async function expect(status: number, answering: Promise<Response>): Promise<Response> {
  const answer = await answering
  if (answer.status !== status) assert.fail(`${answer.url} answered ${answer.status}: ${await answer.text()}`)
  return answer
}

function locationOf(answer: Response): string {
  const location = answer.headers.get('location')
  assert.ok(location !== null, 'an upload has a Location')
  return location
}
