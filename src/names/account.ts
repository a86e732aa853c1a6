import type { Brand } from '#lib/brand.ts'
import { refuseName } from './refusals.ts'

/** Twelve digits, as AWS numbers accounts; also ECR's `registryId`. */
export type AccountId = Brand<string, 'AccountId'>

const pattern = /^[0-9]{12}$/

export function isAccountId(text: string): text is AccountId {
  return pattern.test(text)
}

/** @throws Refusal `NameInvalid` */
export function parseAccountId(text: string): AccountId {
  if (!isAccountId(text)) throw refuseName('NameInvalid', { kind: 'account', value: text })
  return text
}
