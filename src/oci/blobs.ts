import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyReply } from 'fastify'
import { type Digest, parseDigest } from '#names/digest.ts'
import type { LinkedBlobs } from '#registry/linked-blobs.ts'
import { refuse as refuseContent } from '#registry/refusals.ts'
import { inRepository, type RepositoryKey } from '#registry/repository.ts'
import { type FamilyRoutes, pullerOf, repositoryOf } from './call.ts'
import { etagOf, isNotModified } from './conditions.ts'
import { type ByteRange, parseRange } from './ranges.ts'
import { refuse } from './refusals.ts'

/** `/v2/<name>/blobs/<digest>` (distribution specification, "Pulling blobs", "Deleting Blobs"). */
export function blobRoutes({ linkedBlobs }: { linkedBlobs: LinkedBlobs }): FamilyRoutes<'blob'> {
  return {
    HEAD: {
      // Whoever may download a blob may know that it is there: AWS's policy for pulls names the second action only.
      actions: [['ecr:BatchCheckLayerAvailability', 'ecr:GetDownloadUrlForLayer']],
      replicates: true,
      async handle(call) {
        const digest = parseDigest(call.path.digest)
        const { sizeBytes } =
          call.source === undefined
            ? await linkedBlobs.stat(repositoryOf(call), digest, pullerOf(call))
            : await statLinked(linkedBlobs, repositoryOf(call), digest)
        if (isNotModified(call.request.headers, digest)) return notModified(call.reply, digest)
        return call.reply.headers(headersOf(digest, sizeBytes)).send()
      },
    },

    GET: {
      actions: [['ecr:GetDownloadUrlForLayer']],
      async handle(call) {
        const digest = parseDigest(call.path.digest)
        await using blob = await linkedBlobs.open(repositoryOf(call), digest, pullerOf(call))
        const { sizeBytes } = blob
        if (isNotModified(call.request.headers, digest)) return notModified(call.reply, digest)
        const range = rangeOf(call.request.headers, digest, sizeBytes)
        if (range === 'unsatisfiable') throw refuse('RangeUnsatisfiable', { sizeBytes })
        if (range === undefined) call.reply.code(200).headers(headersOf(digest, sizeBytes))
        else call.reply.code(206).headers(partHeadersOf(digest, range, sizeBytes))
        await stream(call.reply, (destination) => blob.sendTo(destination, range))
      },
    },

    DELETE: {
      actions: [['ecr:BatchDeleteImage']],
      async handle(call) {
        await linkedBlobs.unlink(repositoryOf(call), parseDigest(call.path.digest))
        return call.reply.code(202).send()
      },
    },
  }
}

/** What the repository links itself: for a registry that replicates no upstream is asked. @throws Refusal `RepositoryNotFound`, `BlobNotFound` */
async function statLinked(linkedBlobs: LinkedBlobs, key: RepositoryKey, digest: Digest) {
  const blob = (await linkedBlobs.availability(key, [digest])).get(digest)
  if (blob === undefined) throw refuseContent('BlobNotFound', { ...inRepository(key), digest })
  return blob
}

/** The range asked for, unless it is wanted only of other content than this (RFC 9110 section 13.1.5). */
function rangeOf(headers: IncomingHttpHeaders, digest: Digest, sizeBytes: number) {
  const condition = headers['if-range']
  if (condition !== undefined && condition !== etagOf(digest)) return undefined
  return parseRange(headers.range, sizeBytes)
}

/** What a cache may learn of a blob, with its bytes or without. */
function cachingOf(digest: Digest) {
  return {
    'docker-content-digest': digest,
    etag: etagOf(digest),
    'cache-control': 'private, max-age=31536000, immutable',
  }
}

function notModified(reply: FastifyReply, digest: Digest) {
  return reply.code(304).headers(cachingOf(digest)).send()
}

function headersOf(digest: Digest, sizeBytes: number) {
  return {
    'content-type': 'application/octet-stream',
    'content-length': sizeBytes,
    'accept-ranges': 'bytes',
    ...cachingOf(digest),
  }
}

function partHeadersOf(digest: Digest, { start, end }: ByteRange, sizeBytes: number) {
  return {
    ...headersOf(digest, sizeBytes),
    'content-length': end - start,
    'content-range': `bytes ${start}-${end - 1}/${sizeBytes}`,
  }
}

/** Sends a body past Fastify's own streams: `bench` figure "blob GET". A client that goes away ends it, which is no error of ours. */
async function stream(reply: FastifyReply, send: (destination: FastifyReply['raw']) => Promise<void>): Promise<void> {
  reply.hijack()
  const response = reply.raw
  const { socket } = response.req
  // Fastify's header values are numbers, texts and lists of texts, as node:http takes them.
  response.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string>)
  try {
    await send(response)
    response.end()
  } catch (error) {
    const clientLeft = socket.destroyed
    response.destroy()
    if (!clientLeft) throw error
  }
}
