import { type Digest, isDigest } from '#names/digest.ts'

/** An image as a runtime names it, by its digest. */
export interface Reference {
  /** Host, with the port if there is one; `undefined` where the name has none. */
  readonly host: string | undefined
  /** What stands between the host and the digest, without a tag. */
  readonly repository: string
  readonly digest: Digest
}

/** A name's parts, whether it has a digest or not. */
type Named = Omit<Reference, 'digest'> & { readonly digest: Digest | undefined }

/**
 * `host/repository:tag@digest`, each part but the repository optional, perhaps with `docker-pullable://` before it. What stands before
 * the first slash is a host if it has a dot or a port, or is `localhost` (distribution reference grammar). A bare digest names no image of a
 * registry: it is that of a configuration, which only the runtime knows. `undefined` for what is no name.
 */
export function parseReference(text: string): Named | undefined {
  const name = text.replace(/^[a-z][a-z0-9+.-]*:\/\//, '')
  if (name === '' || /[\s"'<>]/.test(name) || isDigest(name)) return undefined
  const [, before = name, algorithm] = /^(.*?)@(.*)$/s.exec(name) ?? []
  const digest = algorithm !== undefined && isDigest(algorithm) ? algorithm : undefined
  const [, path = before] = /^(.+?):[^:/]*$/.exec(before) ?? []
  const slash = path.indexOf('/')
  const first = slash < 0 ? '' : path.slice(0, slash)
  const isHost = /[.:]/.test(first) || first === 'localhost'
  const repository = isHost ? path.slice(slash + 1) : path
  if (repository === '') return undefined
  return { host: isHost ? first.toLowerCase() : undefined, repository, digest }
}
