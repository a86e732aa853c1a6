// Pushes to one registry (distribution specification, "Push"). Chunks of a blob follow one another, and the registry says how many
// bytes it has.

import { createHash } from 'node:crypto'
import { type Digest, digestAlgorithm, digestOf, isDigest } from '#names/digest.ts'
import type { Client, ClientRequest } from './client.ts'
import { failureOfPush, type PushAsked } from './push-failures.ts'
import type { Answered } from './redirects.ts'
import {
  RemoteFailure,
  type RemoteFailureReason,
  type RemotePush,
  type RemoteUpload,
  type StartUploadOptions,
} from './registry.ts'
import { locationOf, offsetIn, withDigest } from './upload-headers.ts'

export interface PushParts {
  readonly client: Client
  /** Where an upload may be. @throws RemoteFailure `blocked` */
  readonly admitLocation: (url: URL) => URL
  /** How long a registry may be silent. */
  readonly silenceMs: number
}

export function createPush({ client, admitLocation, silenceMs }: PushParts): RemotePush {
  const workMs = silenceMs * silencesOfWork

  async function ask(
    asked: PushAsked,
    request: Omit<ClientRequest, 'headers'> & Partial<Pick<ClientRequest, 'headers'>>,
  ) {
    const failureOf = (answer: Answered, now: number) => failureOfPush(answer, now, asked)
    return client.ask({ headers: {}, actions: 'pull,push', failureOf, ...request })
  }

  function uploadAfter(repository: string, answer: Answered, offset: number): RemoteUpload {
    const url = locationOf(answer.headers.get('location'), answer.url, client.base)
    if (url === undefined) throw new RemoteFailure('invalid', 'it does not say where the upload is')
    return { repository, location: admitLocation(url).href, offset }
  }

  async function start(repository: string, { mount, signal }: StartOptions): Promise<'mounted' | RemoteUpload> {
    const url = client.uploadsOf(repository)
    if (mount !== undefined) {
      url.searchParams.set('mount', mount.digest)
      url.searchParams.set('from', client.nameOf(mount.from))
    }
    const answer = await ask('start', {
      ...{ method: 'POST', url, repository, headers: { 'content-length': '0' }, signal, statuses: [201, 202] },
      // An upload that is begun twice expires there.
      isRepeatable: true,
      ...(mount && { from: mount.from }),
    })
    await answer.discard()
    if (answer.status === 201 && mount !== undefined) return 'mounted'
    if (answer.status !== 202) throw new RemoteFailure('invalid', `it answers ${answer.status} to a new upload`)
    return uploadAfter(repository, answer, 0)
  }

  return {
    async hasBlob(repository, digest, { signal } = {}) {
      const url = client.urlOf(repository, 'blobs', digest)
      const answer = await ask('blob', {
        method: 'HEAD',
        url,
        repository,
        signal,
        statuses: found,
        keepsRedirect: true,
      })
      await answer.discard()
      return answer.status !== 404
    },

    async startUpload(repository, { mount, signal } = {}) {
      try {
        return await start(repository, { mount, signal })
      } catch (error) {
        // The refusal may be one of the other repository.
        if (mount === undefined || !(error instanceof RemoteFailure) || !refusals.has(error.reason)) throw error
        return start(repository, { signal })
      }
    },

    async findUpload({ repository, location, offset: expected }, { signal } = {}) {
      const url = admitLocation(new URL(location))
      const answer = await ask('upload', { method: 'GET', url, repository, signal, statuses: [204, 400, 404, 405] })
      await answer.discard()
      const offset = offsetIn(answer.headers.get('range'), expected)
      // A registry may not have the request, or have it and not say how far the upload is.
      if (answer.status !== 204 || offset === undefined) return undefined
      return answer.headers.has('location')
        ? uploadAfter(repository, answer, offset)
        : { repository, location: url.href, offset }
    },

    async append({ repository, location, offset }, { body, sizeBytes }, { signal } = {}) {
      const headers = {
        'content-type': 'application/octet-stream',
        'content-length': String(sizeBytes),
        'content-range': `${offset}-${offset + sizeBytes - 1}`,
      }
      const url = admitLocation(new URL(location))
      const answer = await ask('upload', {
        method: 'PATCH',
        url,
        repository,
        headers,
        body,
        signal,
        statuses: [202, 204, 404, 416],
      })
      await answer.discard()
      if (answer.status === 404 || answer.status === 416) throw lostUpload(answer.status)
      const end = offset + sizeBytes
      const kept = offsetIn(answer.headers.get('range'), end) ?? end
      if (kept > end) throw new RemoteFailure('invalid', 'it counts bytes that the upload did not send')
      if (kept <= offset) throw new RemoteFailure('upload', 'it kept nothing of what the upload sent')
      return uploadAfter(repository, answer, kept)
    },

    async finish({ repository, location }, digest, { signal } = {}) {
      const url = admitLocation(new URL(withDigest(location, digest)))
      const headers = { 'content-length': '0' }
      const statuses = [201, 204, 404, 416]
      const answer = await ask('upload', { method: 'PUT', url, repository, headers, signal, statuses, workMs })
      await answer.discard()
      if (answer.status === 404 || answer.status === 416) throw lostUpload(answer.status)
      requireDigest(answer, digest)
    },

    async putManifest(repository, reference, { mediaType, body }, { headers = {}, signal } = {}) {
      const answer = await ask('manifest', {
        method: 'PUT',
        url: client.urlOf(repository, 'manifests', reference),
        repository,
        headers: { ...headers, 'content-type': mediaType, 'content-length': String(body.byteLength) },
        ...{ body, signal, statuses: [201], workMs, isRepeatable: true },
      })
      await answer.discard()
      requireDigest(answer, isDigest(reference) ? reference : digestLike(answer, body))
      return { headers: answer.headers }
    },
  }
}

interface StartOptions {
  readonly signal?: AbortSignal | undefined
  readonly mount?: StartUploadOptions['mount'] | undefined
}

/** At the end of an upload a registry may read the whole blob again, and look up all that a manifest refers to. */
const silencesOfWork = 10

const refusals: ReadonlySet<RemoteFailureReason> = new Set(['forbidden', 'unauthorized', 'invalid', 'missing'] as const)

/** Some registries state no digest, or one of another algorithm. @throws RemoteFailure `invalid` */
function requireDigest({ headers }: Answered, expected: Digest | undefined): void {
  const stated = headers.get('docker-content-digest')
  if (stated === undefined || expected === undefined || stated === expected) return
  if (!isDigest(stated) || digestAlgorithm(stated) !== digestAlgorithm(expected)) return
  throw new RemoteFailure('invalid', 'it states another digest than the one that was pushed')
}

/** The digest of a manifest, by the algorithm of the one that the answer states. */
function digestLike({ headers }: Answered, body: Uint8Array): Digest | undefined {
  const stated = headers.get('docker-content-digest')
  if (stated === undefined || !isDigest(stated)) return undefined
  const algorithm = digestAlgorithm(stated)
  return digestOf(algorithm, createHash(algorithm).update(body).digest('hex'))
}

/** A redirect to where the content is says that it is there. */
const found = [301, 302, 303, 307, 308, 404]

function lostUpload(status: number): RemoteFailure {
  return new RemoteFailure('upload', status === 404 ? 'the upload is gone' : 'it has another part of the upload')
}
