import type { Brand } from '#lib/brand.ts'
import { refuseName } from './refusals.ts'

/** A media type without parameters, by the grammar of RFC 6838 section 4.2. */
export type MediaType = Brand<string, 'MediaType'>

const pattern = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/

export function isMediaType(text: string): text is MediaType {
  return pattern.test(text)
}

/** @throws Refusal `NameInvalid` */
export function parseMediaType(text: string): MediaType {
  if (!isMediaType(text)) throw refuseName('NameInvalid', { kind: 'media type', value: text })
  return text
}
