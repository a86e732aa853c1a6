/**
 * Raw content for images: digests, and noise that does not compress. The same seed gives the same bytes on every
 * machine, so a digest that a test names stays what it is.
 */
import { createCipheriv, createHash } from 'node:crypto'
import { type Digest, type DigestAlgorithm, digestOf } from '#names/digest.ts'

/** The digest of `bytes`. */
export function digest(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return digestOf(algorithm, createHash(algorithm).update(bytes).digest('hex'))
}

/** `sizeBytes` bytes of AES-256-CTR key stream, keyed by `seed`: incompressible, and the same for the same seed. */
export function noise(seed: string, sizeBytes: number): Buffer {
  const key = createHash('sha256').update(seed).digest()
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes))
}
