import { isAccountId } from './account.ts'
import { isRegion } from './region.ts'
import type { Registry } from './registry.ts'
import { parseRepositoryName, type RepositoryName } from './repository-name.ts'
import { isRepositoryPrefix, type RepositoryPrefix, rootPrefix } from './repository-prefix.ts'

/**
 * A host `<label>.<domain>` that serves the repositories below one prefix as an upstream has them: `library/alpine` there is the
 * repository `docker-hub/library/alpine` of the registry.
 */
export interface Mirror {
  readonly label: string
  readonly registry: Registry
  readonly prefix: RepositoryPrefix
}

/** Reads `label=account/region/prefix`. `undefined` for any other text. */
export function parseMirror(text: string): Mirror | undefined {
  const [, label, account, region, prefix] = /^([^=]*)=([^/]*)\/([^/]*)\/(.*)$/.exec(text) ?? []
  if (label === undefined || account === undefined || region === undefined || prefix === undefined) return undefined
  // Of a host name (RFC 1123). Host names are compared in lower case.
  if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(label)) return undefined
  if (!isAccountId(account) || !isRegion(region) || !isRepositoryPrefix(prefix)) return undefined
  return { label, registry: { account, region }, prefix }
}

/** The repository that a mirror serves under a name. @throws Refusal `NameInvalid` if the two together are too long */
export function nameAtMirror({ prefix }: Mirror, name: RepositoryName): RepositoryName {
  return prefix === rootPrefix ? name : parseRepositoryName(`${prefix}/${name}`)
}
