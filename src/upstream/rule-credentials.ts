import type { Registry } from '#names/registry.ts'
import type { FindSecretValue, SecretFailure } from '#secrets/upstream-credentials.ts'
import { refuse, type UpstreamRefusals } from './refusals.ts'

const secretRefusals = {
  'not found': 'SecretMissing',
  'not decryptable': 'SecretUndecryptable',
  'not usable': 'SecretUnusable',
} as const satisfies Readonly<Record<SecretFailure, keyof UpstreamRefusals>>

/**
 * The secret that a rule names is there and holds credentials. ECR checks this itself when a caller creates or changes a rule, so that
 * the caller needs no right to read the secret.
 *
 * @throws Refusal `SecretMissing`, `SecretUndecryptable`, `SecretUnusable`
 */
export async function requireCredentials(
  findSecretValue: FindSecretValue,
  registry: Registry,
  arn: string | null | undefined,
): Promise<void> {
  if (!arn) return
  const found = await findSecretValue(registry, arn)
  if ('failure' in found) throw refuse(secretRefusals[found.failure], {})
}
