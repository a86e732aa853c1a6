import type { Registry } from '#names/registry.ts'
import { refuse } from './refusals.ts'
import type { Encryption } from './repository.ts'

/**
 * The encryption setting as ECR shows it: a key is shown as its ARN, and KMS without a key means the account's own `aws/ecr`
 * (user guide, "Encryption at rest").
 *
 * @throws Refusal `KmsKeyUnexpected`
 */
export function parseEncryption(
  { account, region }: Registry,
  given: { readonly type: Encryption['type']; readonly kmsKey?: string | undefined } | undefined,
): Encryption {
  const { type = 'AES256', kmsKey } = given ?? {}
  if (type === 'AES256') {
    if (kmsKey !== undefined) throw refuse('KmsKeyUnexpected', { encryptionType: type })
    return { type }
  }
  const prefix = `arn:aws:kms:${region}:${account}:`
  if (kmsKey === undefined) return { type, kmsKey: `${prefix}alias/aws/ecr` }
  if (kmsKey.startsWith('arn:')) return { type, kmsKey }
  return { type, kmsKey: kmsKey.startsWith('alias/') ? prefix + kmsKey : `${prefix}key/${kmsKey}` }
}
