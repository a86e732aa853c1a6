import { createHash } from 'node:crypto'
import { type Digest, digestAlgorithm, digestHex, digestOf, isDigest } from '#names/digest.ts'
import { mediaTypes } from '#names/manifest-types.ts'
import { isMediaType } from '#names/media-type.ts'
import { isEncoded, lengthOf, readWhole } from './bodies.ts'
import type { Client } from './client.ts'
import {
  RemoteFailure,
  type RemoteInspection,
  type RemoteManifest,
  type RemoteManifestHead,
  type RemoteOptions,
} from './registry.ts'
import type { TransportAnswer } from './transport.ts'

/** The limit that registries and clients agree on (OCI distribution specification, "Pushing Manifests"). */
export const manifestMaxBytes = 4 * 1024 * 1024

const accept = Object.values(mediaTypes).join(', ')

export async function headManifest(
  ...asked: Parameters<typeof inspectManifest>
): Promise<RemoteManifestHead | undefined> {
  return (await inspectManifest(...asked)).head
}

/** With the headers of the answer, also where the registry does not have the manifest. */
export async function inspectManifest(
  client: Client,
  repository: string,
  reference: string,
  { signal }: RemoteOptions = {},
): Promise<RemoteInspection> {
  const answer = await client.ask({
    method: 'HEAD',
    url: client.urlOf(repository, 'manifests', reference),
    repository,
    headers: { accept },
    signal,
    statuses: [404],
  })
  await answer.discard()
  const { headers } = answer
  if (answer.status === 404) return { head: undefined, headers }
  const head = {
    digest: statedDigest(answer),
    mediaType: typeOf(answer) ?? '',
    // The length of a compressed answer is another one.
    sizeBytes: isEncoded(answer) ? undefined : lengthOf(answer),
  }
  return { head, headers }
}

export async function getManifest(
  client: Client,
  repository: string,
  reference: string,
  { signal }: RemoteOptions = {},
): Promise<RemoteManifest | undefined> {
  const answer = await client.ask({
    method: 'GET',
    url: client.urlOf(repository, 'manifests', reference),
    repository,
    headers: { accept },
    signal,
    statuses: [404],
  })
  if (answer.status === 404) {
    await answer.discard()
    return undefined
  }
  const body = await readWhole(answer, manifestMaxBytes)
  return { digest: prove(body, reference, statedDigest(answer)), mediaType: typeOf(answer) ?? typeIn(body), body }
}

/** The digest that was asked for, or else SHA-256. @throws RemoteFailure `invalid` if content and digest differ */
function prove(body: Uint8Array, reference: string, stated: Digest | undefined): Digest {
  const expected = isDigest(reference) ? reference : stated
  if (expected !== undefined && hash(body, expected) !== expected) {
    throw new RemoteFailure('invalid', 'its manifest does not match its digest')
  }
  return isDigest(reference) ? reference : digestOf('sha256', createHash('sha256').update(body).digest('hex'))
}

function hash(body: Uint8Array, like: Digest): Digest {
  const algorithm = digestAlgorithm(like)
  return digestOf(algorithm, createHash(algorithm).update(body).digest('hex'))
}

function statedDigest({ headers }: TransportAnswer): Digest | undefined {
  const text = headers.get('docker-content-digest') ?? ''
  return isDigest(text) ? text : undefined
}

/** `undefined` where the header says no more than that it is JSON or bytes. */
function typeOf({ headers }: TransportAnswer): string | undefined {
  const text = (headers.get('content-type') ?? '').replace(/;.*$/s, '').trim()
  return isMediaType(text) && !vague.has(text.toLowerCase()) ? text : undefined
}

const vague: ReadonlySet<string> = new Set(['application/json', 'application/octet-stream', 'text/plain', 'text/html'])

function typeIn(body: Uint8Array): string {
  try {
    const { mediaType } = JSON.parse(Buffer.from(body).toString()) as { mediaType?: unknown }
    if (typeof mediaType === 'string' && isMediaType(mediaType)) return mediaType
  } catch {
    // What is no JSON has no type either.
  }
  throw new RemoteFailure('invalid', 'its manifest has no media type')
}

/** The tag under which clients keep the referrers of a registry without the API (OCI distribution specification, "Referrers Tag Schema"). */
export function fallbackTag(subject: Digest): string {
  return `${digestAlgorithm(subject)}-${digestHex(subject).slice(0, 64)}`
}
