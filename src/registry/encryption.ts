import { hash } from 'node:crypto'
import type { Registry } from '#names/registry.ts'
import { refuse } from './refusals.ts'
import type { Encryption } from './repository.ts'

/** What somebody asks for: the key by its id, an alias or its ARN. */
export interface EncryptionChoice {
  readonly type: Encryption['type']
  readonly kmsKey?: string | undefined
}

/**
 * The encryption setting as it is kept: a key by its ARN, and KMS without a key means the account's own `aws/ecr`
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

/**
 * The ARN by which ECR shows a repository's key. ECR shows the key `aws/ecr` by its id and not by its alias. There is no such
 * key here, so its id is made up: always the same one for an account and a region.
 */
export function shownKmsKey(registry: Registry, kmsKey: string): string {
  return kmsKey === arnOf(registry, ownKey) ? arnOf(registry, `key/${ownKeyId(registry)}`) : kmsKey
}

/** In the form of a UUID, as the ids of KMS have it. */
function ownKeyId({ account, region }: Registry): string {
  const digits = hash('sha256', `aws/ecr ${account} ${region}`)
  return digits.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5')
}

function arnOf({ account, region }: Registry, resource: string): string {
  return `arn:aws:kms:${region}:${account}:${resource}`
}

const keyId = /^[A-Za-z0-9-]+$/
const alias = /^alias\/[A-Za-z0-9/_-]+$/
const arn = /^arn:aws[\w-]*:kms:([a-z0-9-]+):\d{12}:(?:key\/[A-Za-z0-9-]+|alias\/[A-Za-z0-9/_-]+)$/

/**
 * The ARN of a key given by its id, an alias or its ARN, which is one of the registry's region (KMS API, "KeyId"). The key
 * `aws/ecr` is kept by its alias, however a caller names it, since blobs are mounted only between equal keys.
 */
function parseKmsKey(registry: Registry, given: string): string {
  const { region } = registry
  const key = keyId.test(given) ? arnOf(registry, `key/${given}`) : alias.test(given) ? arnOf(registry, given) : given
  if (arn.exec(key)?.[1] !== region) throw refuse('KmsKeyInvalid', { region })
  const own = arnOf(registry, ownKey)
  return key === shownKmsKey(registry, own) ? own : key
}
