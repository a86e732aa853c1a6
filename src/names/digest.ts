import type { Brand } from '#lib/brand.ts'
import { refuseName } from './refusals.ts'

/** `sha256:` and 64, or `sha512:` and 128, lower-case hexadecimal digits (OCI image specification, "Digests"). */
export type Digest = Brand<string, 'Digest'>

export const digestAlgorithms = ['sha256', 'sha512'] as const
export type DigestAlgorithm = (typeof digestAlgorithms)[number]

const pattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/

export function isDigest(text: string): text is Digest {
  return pattern.test(text)
}

/** @throws Refusal `NameInvalid` */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) throw refuseName('NameInvalid', { kind: 'digest', value: text })
  return text
}

export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256'
}

/** The hexadecimal half of a digest. */
export function digestHex(digest: Digest): string {
  return digest.slice(7)
}

/** The digest of that algorithm and that hexadecimal text, as a hash printed it. */
export function digestOf(algorithm: DigestAlgorithm, hex: string): Digest {
  return parseDigest(`${algorithm}:${hex}`)
}
