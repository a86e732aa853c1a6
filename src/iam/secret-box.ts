import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/**
 * Seals secrets before they are stored, so that the database, a copy of it or a backup alone gives nobody a key to sign with.
 * AES-256-GCM under one key that lies outside the database (`secret-key.ts`); what was altered does not open.
 */
export interface SecretBox {
  seal(text: string): string
  /** @throws Error for what was sealed with another key, altered since, or never sealed */
  open(sealed: string): string
  /** A further key of 32 bytes, the same in each process of the deployment. A name has one purpose. */
  derive(name: string): Buffer
}

/** The length of a key. */
export const secretKeyBytes = 32

const version = 'v1'
const ivBytes = 12
const tagBytes = 16

export function createSecretBox(key: Buffer): SecretBox {
  return {
    seal(text) {
      const iv = randomBytes(ivBytes)
      const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes })
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return `${version}.${Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url')}`
    },

    derive: (name) => Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), name, secretKeyBytes)),

    open(text) {
      const [found, encoded = ''] = text.split('.')
      const bytes = Buffer.from(encoded, 'base64url')
      if (found !== version || bytes.byteLength < ivBytes + tagBytes) throw new Error('A stored secret is not sealed')
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes), { authTagLength: tagBytes })
      decipher.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes))
      try {
        return Buffer.concat([decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()]).toString('utf8')
      } catch (cause) {
        throw new Error('A stored secret was sealed with another key, or altered since', { cause })
      }
    },
  }
}
