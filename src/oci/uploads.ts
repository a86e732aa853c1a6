import type { FastifyRequest } from 'fastify'
import { type Digest, isDigest, parseDigest } from '#names/digest.ts'
import { isRepositoryName, type RepositoryName } from '#names/repository-name.ts'
import type { LinkedBlobs } from '#registry/linked-blobs.ts'
import type { Repositories } from '#registry/repositories.ts'
import type { Chunk, Uploads } from '#registry/uploads.ts'
import { type FamilyRoutes, type OciCall, pushCreatingFor, repositoryOf } from './call.ts'
import { parseContentRange, printUploadRange } from './ranges.ts'
import { refuse } from './refusals.ts'

/** `/v2/<name>/blobs/uploads/`: beginning an upload, pushing a blob whole, and mounting one (distribution specification, "Pushing Blobs"). */
export function uploadsRoutes({
  repositories,
  uploads,
  linkedBlobs,
}: {
  repositories: Repositories
  uploads: Uploads
  linkedBlobs: LinkedBlobs
}): FamilyRoutes<'uploads'> {
  /** Whether the blob was mounted. Where it cannot be, for whatever reason, the client uploads it instead. */
  async function mount(call: OciCall<'uploads'>, digest: Digest, from: RepositoryName): Promise<boolean> {
    const { registry, source } = call
    const [to, other] = [repositoryOf(call), { registry, name: from }]
    // Both repositories hold what the caller's account replicates.
    if (source !== undefined && (await call.may('ecr:ReplicateImage', from))) {
      if (await linkedBlobs.mountReplicated(to, digest, other, source.account)) return true
    }
    if (!(await call.may('ecr:GetDownloadUrlForLayer', from))) return false
    return linkedBlobs.mount(to, digest, other)
  }

  return {
    POST: {
      actions: [['ecr:InitiateLayerUpload']],
      replicates: true,
      handle(call) {
        // A body that was read by the time of the refusal cannot be read again.
        const repeatable = () => !call.request.raw.readableDidRead
        return pushCreatingFor(repositories, call, () => begin(call), repeatable)
      },
    },
  }

  async function begin(call: OciCall<'uploads'>): Promise<unknown> {
    const { path, query, reply } = call
    const key = repositoryOf(call)

    const mounted = query.get('mount')
    const from = query.get('from')
    if (mounted !== null && from !== null && isDigest(mounted) && isRepositoryName(from)) {
      if (await mount(call, mounted, from)) return created(call, mounted)
    }

    const whole = query.get('digest')
    if (whole !== null) {
      const digest = parseDigest(whole)
      await uploads.push(key, digest, chunkOf(call.request))
      return created(call, digest)
    }

    const id = await uploads.start(key)
    return reply
      .code(202)
      .headers(sessionHeaders(path.name, id, 0))
      .send()
  }
}

/** `/v2/<name>/blobs/uploads/<id>`: an upload session. Its URL holds no credential; each request brings its own. */
export function uploadRoutes({ uploads }: { uploads: Uploads }): FamilyRoutes<'upload'> {
  return {
    PATCH: {
      actions: [['ecr:UploadLayerPart']],
      replicates: true,
      async handle(call) {
        const { name, id } = call.path
        const offset = await uploads.append(repositoryOf(call), id, chunkOf(call.request))
        return call.reply
          .code(202)
          .headers(sessionHeaders(name, id, offset))
          .send()
      },
    },

    PUT: {
      actions: [['ecr:CompleteLayerUpload'], ['ecr:UploadLayerPart']],
      replicates: true,
      async handle(call) {
        const given = call.query.get('digest')
        if (given === null) throw refuse('ParameterInvalid', { parameter: 'digest', expected: "the blob's digest" })
        const digest = parseDigest(given)
        const chunk = hasBody(call.request) ? chunkOf(call.request) : undefined
        await uploads.complete(repositoryOf(call), call.path.id, digest, chunk)
        return created(call, digest)
      },
    },

    GET: {
      actions: [['ecr:UploadLayerPart']],
      replicates: true,
      async handle(call) {
        const { name, id } = call.path
        const offset = await uploads.offset(repositoryOf(call), id)
        return call.reply
          .code(204)
          .headers(sessionHeaders(name, id, offset))
          .send()
      },
    },

    DELETE: {
      actions: [['ecr:UploadLayerPart']],
      replicates: true,
      async handle(call) {
        await uploads.cancel(repositoryOf(call), call.path.id)
        return call.reply.code(204).send()
      },
    },
  }
}

function created({ path, reply }: OciCall<'uploads'> | OciCall<'upload'>, digest: Digest) {
  return reply
    .code(201)
    .header('location', `/v2/${path.name}/blobs/${digest}`)
    .header('docker-content-digest', digest)
    .send()
}

function sessionHeaders(name: RepositoryName, id: string, offset: number) {
  return {
    location: `/v2/${name}/blobs/uploads/${id}`,
    range: printUploadRange(offset),
    'docker-upload-uuid': id,
  }
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** The body as a chunk of an upload, streamed. @throws Refusal `ContentRangeInvalid` before anything is read */
function chunkOf({ raw, headers }: FastifyRequest): Chunk {
  const announced = headers['content-length']
  const length = announced === undefined ? undefined : Number(announced)
  const header = headers['content-range']
  // node:http makes each piece of a body a buffer of its own, and keeps none.
  const body = { source: raw, release: true }
  if (header === undefined) return { ...body, length }
  const range = parseContentRange(header)
  if (range === undefined || (length !== undefined && length !== range.length)) {
    throw refuse('ContentRangeInvalid', { header })
  }
  return { ...body, ...range }
}
