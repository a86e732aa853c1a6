import type { Digest } from '#names/digest.ts'
import { isEncoded, lengthOf } from './bodies.ts'
import type { Client } from './client.ts'
import type { Answered } from './redirects.ts'
import { type RemoteBlob, type RemoteBlobOptions, RemoteFailure } from './registry.ts'

/** By GET alone: some registries refuse HEAD where they redirect GET. */
export async function openBlob(
  client: Client,
  repository: string,
  digest: Digest,
  { offset, signal }: RemoteBlobOptions,
): Promise<RemoteBlob | undefined> {
  const answer = await client.ask({
    method: 'GET',
    url: client.urlOf(repository, 'blobs', digest),
    repository,
    headers: offset > 0 ? { range: `bytes=${offset}-` } : {},
    signal,
    statuses: offset > 0 ? [206, 404, 416] : [404],
  })
  if (answer.status === 404) {
    await answer.discard()
    if (answer.atOrigin) return undefined
    throw new RemoteFailure('unreachable', 'the server that it redirects to answers 404')
  }
  try {
    if (isEncoded(answer)) throw new RemoteFailure('invalid', 'its answer is compressed')
    return blobOf(answer, offset)
  } catch (error) {
    await answer.discard()
    throw error
  }
}

function blobOf(answer: Answered, offset: number): RemoteBlob {
  const lengthBytes = lengthOf(answer)
  if (answer.status === 200) return { offset: 0, sizeBytes: lengthBytes, body: counted(answer.body, lengthBytes) }
  const range = parseContentRange(answer.headers.get('content-range'))
  if (answer.status === 416) {
    // All bytes are there already.
    if (range?.sizeBytes === offset) return { offset, sizeBytes: offset, body: nothing() }
    throw new RemoteFailure('invalid', `it has no byte ${offset}`)
  }
  const { first, last, sizeBytes } = range ?? {}
  const isRest = first === offset && last !== undefined && (sizeBytes === undefined || sizeBytes === last + 1)
  const expected = isRest ? last - offset + 1 : 0
  if (!isRest || (lengthBytes !== undefined && lengthBytes !== expected)) {
    throw new RemoteFailure('invalid', 'it answers with another range')
  }
  return { offset, sizeBytes, body: counted(answer.body, expected) }
}

/** Fails where more or fewer bytes come than were announced. */
async function* counted(body: AsyncIterable<Uint8Array>, expected: number | undefined) {
  let received = 0
  for await (const chunk of body) {
    received += chunk.byteLength
    if (expected !== undefined && received > expected) break
    yield chunk
  }
  if (expected !== undefined && received !== expected) {
    throw new RemoteFailure('unreachable', `it sent ${received} of ${expected} bytes`)
  }
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}

interface ContentRange {
  readonly first: number | undefined
  readonly last: number | undefined
  readonly sizeBytes: number | undefined
}

/** RFC 9110 section 14.4. */
function parseContentRange(text: string | undefined): ContentRange | undefined {
  const [all, first, last, size] = /^bytes\s+(?:(\d{1,15})-(\d{1,15})|\*)\/(\d{1,15}|\*)$/i.exec(text ?? '') ?? []
  if (all === undefined) return undefined
  const number = (digits: string | undefined) => (digits === undefined || digits === '*' ? undefined : Number(digits))
  return { first: number(first), last: number(last), sizeBytes: number(size) }
}
