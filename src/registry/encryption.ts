import type { Registry } from '#names/registry.ts'
import { refuse } from './refusals.ts'
import type { Encryption } from './repository.ts'

/** What somebody asks for: the key by its id, an alias or its ARN. */
export interface EncryptionChoice {
  readonly type: Encryption['type']
  readonly kmsKey?: string | undefined
}

/**
 * The encryption setting as ECR shows it: a key is shown as its ARN, and KMS without a key means the account's own `aws/ecr`
 * (user guide, "Encryption at rest").
 *
 * @throws Refusal `KmsKeyUnexpected`, `KmsKeyInvalid`
 */
export function parseEncryption(registry: Registry, given: EncryptionChoice | undefined): Encryption {
  const { type = 'AES256', kmsKey = ownKey } = given ?? {}
  if (type !== 'AES256') return { type, kmsKey: parseKmsKey(registry, kmsKey) }
  if (given?.kmsKey !== undefined) throw refuse('KmsKeyUnexpected', { encryptionType: type })
  return { type }
}

const ownKey = 'alias/aws/ecr'

const keyId = /^[A-Za-z0-9-]+$/
const alias = /^alias\/[A-Za-z0-9/_-]+$/
const arn = /^arn:aws[\w-]*:kms:([a-z0-9-]+):\d{12}:(?:key\/[A-Za-z0-9-]+|alias\/[A-Za-z0-9/_-]+)$/

/** The ARN of a key given by its id, an alias or its ARN, which is one of the registry's region (KMS API, "KeyId"). */
function parseKmsKey({ account, region }: Registry, given: string): string {
  const prefix = `arn:aws:kms:${region}:${account}:`
  if (keyId.test(given)) return `${prefix}key/${given}`
  if (alias.test(given)) return prefix + given
  if (arn.exec(given)?.[1] === region) return given
  throw refuse('KmsKeyInvalid', { region })
}
