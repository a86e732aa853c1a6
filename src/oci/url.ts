import { parseRepositoryName, type RepositoryName } from '#names/repository-name.ts'

/**
 * The URLs of the OCI distribution specification. A repository's name may hold slashes and the words that follow it, so a path
 * is read from its end.
 */
export type OciPath =
  | { readonly family: 'base' }
  | { readonly family: 'catalog' }
  | { readonly family: 'tags'; readonly name: RepositoryName }
  | { readonly family: 'manifest'; readonly name: RepositoryName; readonly reference: string }
  | { readonly family: 'blob'; readonly name: RepositoryName; readonly digest: string }
  | { readonly family: 'referrers'; readonly name: RepositoryName; readonly digest: string }
  | { readonly family: 'uploads'; readonly name: RepositoryName }
  | { readonly family: 'upload'; readonly name: RepositoryName; readonly id: string }

export type Family = OciPath['family']

/**
 * Reads a path below `/v2`, without its query. `undefined` if no endpoint is there.
 *
 * @throws Refusal `NameInvalid` where an endpoint is there but its repository's name cannot be one
 */
export function parseOciPath(path: string): OciPath | undefined {
  if (path === '/v2' || path === '/v2/') return { family: 'base' }
  if (path === '/v2/_catalog') return { family: 'catalog' }
  if (!path.startsWith('/v2/')) return undefined
  const text = decode(path.slice('/v2/'.length))
  if (text === undefined) return undefined

  const last = text.lastIndexOf('/')
  const end = text.slice(last + 1)
  const before = text.slice(0, Math.max(last, 0))
  const word = before.slice(before.lastIndexOf('/') + 1)
  const rest = before.slice(0, Math.max(before.length - word.length - 1, 0))

  if (word === 'manifests' && end !== '') return { family: 'manifest', name: parseRepositoryName(rest), reference: end }
  if (word === 'blobs' && end !== '' && end !== 'uploads')
    return { family: 'blob', name: parseRepositoryName(rest), digest: end }
  if (word === 'referrers' && end !== '') return { family: 'referrers', name: parseRepositoryName(rest), digest: end }
  if (word === 'tags' && end === 'list') return { family: 'tags', name: parseRepositoryName(rest) }
  if (word === 'blobs' && end === 'uploads') return { family: 'uploads', name: parseRepositoryName(rest) }
  if (word === 'uploads' && rest.endsWith('/blobs')) {
    const name = parseRepositoryName(rest.slice(0, -'/blobs'.length))
    return end === '' ? { family: 'uploads', name } : { family: 'upload', name, id: end }
  }
  return undefined
}

/** Some clients percent-encode the colon of a digest. Nothing that decodes to a slash is a name's, and PostgreSQL keeps no NUL. */
function decode(text: string): string | undefined {
  if (!text.includes('%')) return text
  if (/%2f|%00/i.test(text)) return undefined
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
