import { type Digest, isDigest } from '#names/digest.ts'
import { mediaTypes } from '#names/manifest-types.ts'
import { readJson } from './bodies.ts'
import type { Client } from './client.ts'
import { fallbackTag, getManifest, manifestMaxBytes } from './manifests.ts'
import type { Answered } from './redirects.ts'
import { type RemoteDescriptor, RemoteFailure, type RemoteOptions } from './registry.ts'

export async function listReferrers(
  client: Client,
  repository: string,
  subject: Digest,
  { signal }: RemoteOptions = {},
): Promise<readonly RemoteDescriptor[]> {
  const found: RemoteDescriptor[] = []
  let url: URL | undefined = client.urlOf(repository, 'referrers', subject)
  for (let page = 1; url !== undefined; page++) {
    if (page > mostPages) throw new RemoteFailure('invalid', `its list of referrers has more than ${mostPages} pages`)
    const answer: Answered = await client.ask({
      method: 'GET',
      url,
      repository,
      headers: { accept: mediaTypes.ociIndex },
      signal,
      statuses: missing,
    })
    if (missing.includes(answer.status)) {
      await answer.discard()
      // GHCR, for one, does not have the API.
      return page === 1 ? byTag(client, repository, subject, { ...(signal && { signal }) }) : found
    }
    found.push(...descriptorsOf(await readJson(answer, manifestMaxBytes)))
    url = nextPage(answer, url)
  }
  return found
}

/** Of the API, where a registry does not have it. */
const missing = [400, 404, 405, 501]

const mostPages = 100

async function byTag(client: Client, repository: string, subject: Digest, options: RemoteOptions) {
  const index = await getManifest(client, repository, fallbackTag(subject), options)
  if (index === undefined) return []
  try {
    return descriptorsOf(JSON.parse(Buffer.from(index.body).toString()))
  } catch (cause) {
    throw cause instanceof RemoteFailure ? cause : new RemoteFailure('invalid', 'its answer is not JSON', { cause })
  }
}

/** RFC 8288. The next page is at the registry itself, since the request carries credentials. */
function nextPage({ headers, url }: Answered, asked: URL): URL | undefined {
  const [, target] = /<([^>]*)>\s*;[^<]*\brel="?next"?/i.exec(headers.get('link') ?? '') ?? []
  if (target === undefined) return undefined
  const next = URL.parse(target, url)
  if (next === null || next.origin !== url.origin || next.href === asked.href) {
    throw new RemoteFailure('invalid', 'the next page of its list is elsewhere')
  }
  return next
}

function descriptorsOf(index: unknown): RemoteDescriptor[] {
  // Each member is checked below.
  const { manifests } = (index ?? {}) as { manifests?: unknown }
  if (!Array.isArray(manifests)) throw new RemoteFailure('invalid', 'its list of referrers is no index')
  return manifests.flatMap((each: unknown) => {
    const { mediaType, digest, size, artifactType, annotations } = (each ?? {}) as Record<string, unknown>
    if (typeof mediaType !== 'string' || typeof digest !== 'string' || !isDigest(digest)) return []
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return []
    return [
      {
        mediaType,
        digest,
        size,
        ...(typeof artifactType === 'string' && { artifactType }),
        ...(isTexts(annotations) && { annotations }),
      },
    ]
  })
}

function isTexts(value: unknown): value is Record<string, string> {
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).every((each) => typeof each === 'string')
}
