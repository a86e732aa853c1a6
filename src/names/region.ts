import type { Brand } from '#lib/brand.ts'
import { refuseName } from './refusals.ts'

/** A region's name, such as `us-east-1`. Lading serves any: it is the second half of a registry's key. */
export type Region = Brand<string, 'Region'>

const pattern = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/

export function isRegion(text: string): text is Region {
  return text.length <= 64 && pattern.test(text)
}

/** @throws Refusal `NameInvalid` */
export function parseRegion(text: string): Region {
  if (!isRegion(text)) throw refuseName('NameInvalid', { kind: 'region', value: text })
  return text
}
