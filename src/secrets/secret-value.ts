import type { SecretBox } from '#iam/secret-box.ts'
import { refuse } from './refusals.ts'

/** The value of a version: a text or bytes. */
export type SecretValue =
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'binary'; readonly bytes: Uint8Array }

export interface SealedValue {
  readonly kind: string
  readonly sealed: string
}

/** Imposed by Secrets Manager (user guide, "Secrets Manager quotas"). */
const mostBytes = 65_536

/** @throws Refusal `SecretValueInvalid` */
export function sealValue(box: SecretBox, value: SecretValue): SealedValue {
  const bytes = value.kind === 'string' ? Buffer.byteLength(value.text) : value.bytes.byteLength
  if (bytes === 0 || bytes > mostBytes) throw refuse('SecretValueInvalid', { problem: 'length' })
  const text = value.kind === 'string' ? value.text : Buffer.from(value.bytes).toString('base64')
  return { kind: value.kind, sealed: box.seal(text) }
}

/** @throws Refusal `SecretNotDecryptable` */
export function openValue(box: SecretBox, { kind, sealed }: SealedValue): SecretValue {
  let text: string
  try {
    text = box.open(sealed)
  } catch {
    throw refuse('SecretNotDecryptable', {})
  }
  return kind === 'string' ? { kind, text } : { kind: 'binary', bytes: Buffer.from(text, 'base64') }
}

export function isSameValue(one: SecretValue, other: SecretValue): boolean {
  if (one.kind === 'string') return other.kind === 'string' && one.text === other.text
  return other.kind === 'binary' && Buffer.from(one.bytes).equals(other.bytes)
}
