import type { Brand } from '#lib/brand.ts'
import { refuseName } from './refusals.ts'
import { isRepositoryName, type RepositoryName } from './repository-name.ts'

/**
 * The prefix of the repositories that a creation template or a pull through cache rule is for, without a slash at its end. A slash
 * is always assumed there: `prod` covers `prod/app`, neither `prod` nor `production`. `ROOT` covers what no other does (ECR user
 * guide, "Templates to control repositories created during a pull through cache, create on push, or replication action").
 */
export type RepositoryPrefix = Brand<string, 'RepositoryPrefix'>

/** Upper case, so that it is no repository's name. */
export const rootPrefix = 'ROOT' as RepositoryPrefix

/** By the pattern of ECR's API model for `Prefix`. */
export function isRepositoryPrefix(text: string): text is RepositoryPrefix {
  // The shortest name of a repository has two characters, the shortest prefix one.
  return text === rootPrefix || isRepositoryName(text) || /^[a-z0-9]$/.test(text)
}

/** One slash at the end is let go. @throws Refusal `NameInvalid` */
export function parseRepositoryPrefix(text: string): RepositoryPrefix {
  const prefix = text.endsWith('/') ? text.slice(0, -1) : text
  if (!isRepositoryPrefix(prefix)) throw refuseName('NameInvalid', { kind: 'repository prefix', value: text })
  return prefix
}

/** Every prefix that covers the repository, the most specific first. */
export function prefixesCovering(name: RepositoryName): RepositoryPrefix[] {
  const prefixes = [rootPrefix]
  // What stands before a slash of a name is a name, or one character of one.
  for (let at = name.indexOf('/'); at !== -1; at = name.indexOf('/', at + 1)) {
    prefixes.unshift(name.slice(0, at) as RepositoryPrefix)
  }
  return prefixes
}

/** Every prefix that covers what this one covers, and more. The most specific first. */
export function prefixesAbove(prefix: RepositoryPrefix): RepositoryPrefix[] {
  // What stands before a slash of a prefix is what stands there in a name.
  return prefix === rootPrefix ? [] : prefixesCovering(prefix as string as RepositoryName)
}

/** Of those that are at hand the one whose prefix covers the repository most closely. */
export function findMostSpecific<Entry extends { readonly prefix: RepositoryPrefix }>(
  entries: readonly Entry[],
  name: RepositoryName,
): Entry | undefined {
  let found: Entry | undefined
  for (const entry of entries) {
    const { prefix } = entry
    const length = prefix === rootPrefix ? 0 : prefix.length
    const covers = length === 0 || (name.startsWith(prefix) && name[length] === '/')
    if (covers && (found === undefined || found.prefix === rootPrefix || length > found.prefix.length)) found = entry
  }
  return found
}
