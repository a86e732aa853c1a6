import type { Brand } from '#lib/brand.ts'
import { refuseName } from './refusals.ts'

/** A tag by the grammar of the OCI distribution specification, 1 to 128 characters. */
export type Tag = Brand<string, 'Tag'>

const pattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/

export function isTag(text: string): text is Tag {
  return pattern.test(text)
}

/** @throws Refusal `NameInvalid` */
export function parseTag(text: string): Tag {
  if (!isTag(text)) throw refuseName('NameInvalid', { kind: 'tag', value: text })
  return text
}
