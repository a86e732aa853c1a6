/** The requests of a push, as bytes, in the steps that docker takes: POST, PATCH with all the content, PUT. */
import { randomBytes } from 'node:crypto'
import { type Image, manifestsOf } from '#test/support/images/build.ts'
import type { Answer, Connection } from './connection.ts'
import type { Server } from './server.ts'

/** A request's head, with the credentials that the server asks for. `target` is a path, or the URL of a Location. */
export function requestHead(
  { port, password }: Server,
  method: string,
  target: string,
  headers: Readonly<Record<string, string | number>> = {},
): Buffer {
  const path = target.replace(/^http:\/\/[^/]+/, '')
  const all = {
    Host: `127.0.0.1:${port}`,
    ...(password !== undefined && { Authorization: `Basic ${Buffer.from(`AWS:${password}`).toString('base64')}` }),
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
}

export interface Content {
  readonly digest: string
  readonly bytes: Uint8Array
}

export async function pushBlob(
  connection: Connection,
  server: Server,
  repository: string,
  { digest, bytes }: Content,
): Promise<void> {
  const headOf = (method: string, target: string, length: number) =>
    requestHead(server, method, target, { 'Content-Length': length, 'Content-Type': 'application/octet-stream' })
  const begun = await connection.exchange(headOf('POST', `/v2/${repository}/blobs/uploads/`, 0))
  const sent = await connection.upload(headOf('PATCH', locationOf(begun, 202), bytes.byteLength), bytes)
  const location = locationOf(sent, 202)
  const digestParameter = `${location.includes('?') ? '&' : '?'}digest=${digest}`
  expectStatus(await connection.exchange(headOf('PUT', location + digestParameter, 0)), 201)
}

/** Pushes `image` with all below it; the root is tagged. */
export async function pushImage(
  connection: Connection,
  server: Server,
  { repository, tag, image }: { repository: string; tag: string; image: Image },
): Promise<void> {
  for (const manifest of manifestsOf(image)) {
    for (const blob of manifest.blobs) await pushBlob(connection, server, repository, blob)
    const reference = manifest === image ? tag : manifest.digest
    const headers = { 'Content-Length': manifest.bytes.length, 'Content-Type': manifest.mediaType }
    const head = requestHead(server, 'PUT', `/v2/${repository}/manifests/${reference}`, headers)
    expectStatus(await connection.upload(head, manifest.bytes), 201)
  }
}

/** @throws Error if the answer has another status */
export function expectStatus(answer: Answer, status: number): Answer {
  if (answer.status !== status) throw new Error(`answered ${answer.status} instead of ${status}`)
  return answer
}

/** Noise, quickly: the same MiB over and over, which neither server compresses or shares. */
export function repeatedNoise(sizeBytes: number): Buffer {
  return Buffer.alloc(sizeBytes, randomBytes(1024 * 1024))
}

function locationOf(answer: Answer, status: number): string {
  const location = expectStatus(answer, status).header('location')
  if (location === undefined) throw new Error('an answer without Location')
  return location
}
