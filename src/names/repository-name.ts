import type { Brand } from '#lib/brand.ts'
import { refuseName } from './refusals.ts'

/** A repository's name within its registry, 2 to 256 characters, slashes included. */
export type RepositoryName = Brand<string, 'RepositoryName'>

/** The pattern of ECR's API model for `RepositoryName`; the OCI grammar for `<name>` admits the same texts. */
const pattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/

export function isRepositoryName(text: string): text is RepositoryName {
  return text.length >= 2 && text.length <= 256 && pattern.test(text)
}

/** @throws Refusal `NameInvalid` */
export function parseRepositoryName(text: string): RepositoryName {
  if (!isRepositoryName(text)) throw refuseName('NameInvalid', { kind: 'repository', value: text })
  return text
}
