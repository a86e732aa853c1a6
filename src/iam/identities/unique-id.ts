import { randomBytes } from 'node:crypto'

/** What a unique id, or a key's, stands for, by its first four letters (IAM user guide, "IAM identifiers"). */
export type IdPrefix = 'AIDA' | 'AGPA' | 'AROA' | 'ANPA' | 'AKIA' | 'ASIA'

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** In the shape that AWS gives them, which tools look for. Eighty random bits: none is ever given twice. */
export function uniqueId(prefix: IdPrefix): string {
  const letters = Array.from(randomBytes(16), (byte) => base32.charAt(byte % base32.length))
  return `${prefix}${letters.join('')}`
}
