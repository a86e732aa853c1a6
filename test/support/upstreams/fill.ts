/** Pushes images to any registry by the distribution API, each blob in one request. */
import assert from 'node:assert/strict'
import { artifact, descriptor, type Image, manifestsOf, mediaTypes } from '#test/support/images/build.ts'
import { digest } from '#test/support/images/content.ts'

export interface Target {
  readonly url: string
  /** The value of the header, where the registry asks for one. */
  readonly authorization?: string
}

/** Pushes all of an image, children first, and moves the tag to it. */
export async function fill(target: Target, repository: string, image: Image, tag?: string): Promise<void> {
  for (const each of manifestsOf(image)) {
    for (const { digest: name, bytes } of each.blobs) {
      const started = await call(target, 'POST', `/v2/${repository}/blobs/uploads/`)
      const location = new URL(started.headers.get('location') ?? '', target.url)
      location.searchParams.set('digest', name)
      await call(target, 'PUT', location.href, { type: 'application/octet-stream', bytes })
    }
    await putManifest(target, repository, each, each === image ? (tag ?? each.digest) : each.digest)
  }
}

/** Pushes a referrer, and the fallback tag where the registry lacks the referrers API (distribution specification, "Referrers Tag Schema"). */
export async function fillReferrer(target: Target, repository: string, subject: Image, artifactType: string) {
  const referrer = artifact({ artifactType, subject, blobs: [Buffer.from(`{"of":"${subject.digest}"}`)] })
  await fill(target, repository, referrer)
  const api = await fetch(new URL(`/v2/${repository}/referrers/${subject.digest}`, target.url), {
    headers: headersOf(target),
  })
  await api.arrayBuffer()
  if (api.status !== 404) return referrer
  const mediaType = mediaTypes.oci.index
  const manifests = [{ ...descriptor(referrer), artifactType }]
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }))
  const list = { mediaType, bytes, digest: digest(bytes) }
  await putManifest(target, repository, list, subject.digest.replace(':', '-'))
  return referrer
}

async function putManifest(
  target: Target,
  repository: string,
  { mediaType, bytes }: Pick<Image, 'mediaType' | 'bytes'>,
  reference: string,
): Promise<void> {
  await call(target, 'PUT', `/v2/${repository}/manifests/${reference}`, { type: mediaType, bytes })
}

async function call(
  target: Target,
  method: string,
  path: string,
  body?: { readonly type: string; readonly bytes: Uint8Array },
): Promise<Response> {
  const headers = { ...headersOf(target), ...(body && { 'content-type': body.type }) }
  const answer = await fetch(new URL(path, target.url), {
    ...{ method, headers },
    ...(body && { body: new Uint8Array(body.bytes) }),
  })
  const text = await answer.text()
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`)
  return answer
}

function headersOf({ authorization }: Target): Record<string, string> {
  return authorization === undefined ? {} : { authorization }
}
