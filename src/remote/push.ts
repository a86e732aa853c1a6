// Pushes to one registry (distribution specification, "Push"). Chunks of a blob follow one another, and the registry says how many
// bytes it has.

import type { Digest } from '#names/digest.ts'
import type { Client, ClientRequest } from './client.ts'
import { failureOfPush } from './push-failures.ts'
import type { Answered } from './redirects.ts'
import { RemoteFailure, type RemotePush, type RemoteUpload, type StartUploadOptions } from './registry.ts'

/** `admitLocation`: where an upload may be. @throws RemoteFailure `blocked` */
export function createPush(client: Client, admitLocation: (url: URL) => URL): RemotePush {
  const pushing = { actions: 'pull,push', failureOf: failureOfPush } as const

  async function ask(request: Omit<ClientRequest, 'headers'> & Partial<Pick<ClientRequest, 'headers'>>) {
    return client.ask({ headers: {}, ...pushing, ...request })
  }

  function uploadAfter(repository: string, answer: Answered, offset: number): RemoteUpload {
    const location = answer.headers.get('location')
    const url = location === undefined ? null : URL.parse(location, answer.url)
    if (url === null) throw new RemoteFailure('invalid', 'it does not say where the upload is')
    return { repository, location: admitLocation(url).href, offset }
  }

  return {
    async hasBlob(repository, digest, { signal } = {}) {
      const url = client.urlOf(repository, 'blobs', digest)
      const answer = await ask({ method: 'HEAD', url, repository, signal, statuses: found, keepsRedirect: true })
      await answer.discard()
      return answer.status !== 404
    },

    async startUpload(repository, { mount, signal }: StartUploadOptions = {}) {
      const url = client.uploadsOf(repository)
      if (mount !== undefined) {
        url.searchParams.set('mount', mount.digest)
        url.searchParams.set('from', client.nameOf(mount.from))
      }
      const headers = { 'content-length': '0' }
      const from = mount && { from: mount.from }
      const answer = await ask({ method: 'POST', url, repository, headers, signal, statuses: [201, 202], ...from })
      await answer.discard()
      if (answer.status === 201 && mount !== undefined) return 'mounted'
      if (answer.status !== 202) throw new RemoteFailure('invalid', `it answers ${answer.status} to a new upload`)
      return uploadAfter(repository, answer, 0)
    },

    async findUpload({ repository, location }, { signal } = {}) {
      const url = admitLocation(new URL(location))
      const answer = await ask({ method: 'GET', url, repository, signal, statuses: [204, 400, 404, 405] })
      await answer.discard()
      const offset = offsetIn(answer.headers.get('range'))
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
      const answer = await ask({
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
      const kept = offsetIn(answer.headers.get('range')) ?? offset + sizeBytes
      if (kept > offset + sizeBytes) throw new RemoteFailure('invalid', 'it counts bytes that the upload did not send')
      return uploadAfter(repository, answer, kept)
    },

    async finish({ repository, location }, digest, { signal } = {}) {
      const url = admitLocation(new URL(withDigest(location, digest)))
      const headers = { 'content-length': '0' }
      const answer = await ask({ method: 'PUT', url, repository, headers, signal, statuses: [201, 204, 404, 416] })
      await answer.discard()
      if (answer.status === 404 || answer.status === 416) throw lostUpload(answer.status)
    },

    async putManifest(repository, reference, { mediaType, body }, { headers = {}, signal } = {}) {
      const answer = await ask({
        method: 'PUT',
        url: client.urlOf(repository, 'manifests', reference),
        repository,
        headers: { ...headers, 'content-type': mediaType, 'content-length': String(body.byteLength) },
        ...{ body, signal, statuses: [201] },
      })
      await answer.discard()
      return { headers: answer.headers }
    },
  }
}

/** A redirect to where the content is says that it is there. */
const found = [301, 302, 303, 307, 308, 404]

function lostUpload(status: number): RemoteFailure {
  return new RemoteFailure('upload', status === 404 ? 'the upload is gone' : 'it has another part of the upload')
}

/**
 * How many bytes a registry has of an upload. Distribution says `0-0` for none as well as for one, so that a chunk of one byte may be sent
 * again: the registry refuses it.
 */
function offsetIn(range: string | undefined): number | undefined {
  const [, last] = /^(?:bytes=)?0-(-?\d{1,15})$/.exec(range?.trim() ?? '') ?? []
  if (last === undefined) return undefined
  return Number(last) <= 0 ? 0 : Number(last) + 1
}

/** The state that a registry puts into the location stays as it is. */
function withDigest(location: string, digest: Digest): string {
  return `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`
}
