import { isObject, readJson } from '#lib/json.ts'
import { Refusal } from '#lib/refusal.ts'
import type { Registry } from '#names/registry.ts'
import type { SecretRefusals } from './refusals.ts'
import type { SecretValue } from './secret-value.ts'
import type { FoundValue, SecretValues } from './secret-values.ts'
import type { Secrets } from './secrets.ts'

/** The user name and the access token for an upstream registry, as ECR reads them from a secret. */
export interface UpstreamCredentials {
  readonly username: string
  readonly accessToken: string
}

/**
 * Why a secret gives no credentials: there is none, or it is scheduled for deletion; its value does not open; its value is no JSON
 * object with the texts `username` and `accessToken`.
 */
export type SecretFailure = 'not found' | 'not decryptable' | 'not usable'

/** Reads the secret with that ARN for the pull through cache. */
export type FindSecretValue = (
  registry: Registry,
  arn: string,
) => Promise<UpstreamCredentials | { readonly failure: SecretFailure }>

export function createFindSecretValue(parts: {
  readonly secrets: Pick<Secrets, 'arnOf'>
  readonly secretValues: Pick<SecretValues, 'get'>
}): FindSecretValue {
  const { secrets, secretValues } = parts
  return async (registry, arn) => {
    let found: FoundValue
    try {
      found = await secretValues.get(registry, await secrets.arnOf(registry, arn), {})
    } catch (error) {
      const failure = error instanceof Refusal ? failures[error.code] : undefined
      if (failure === undefined) throw error
      return { failure }
    }
    if (!isDefaultKey(found.secret.kmsKey)) return { failure: 'not decryptable' }
    return parseCredentials(found.value) ?? { failure: 'not usable' }
  }
}

const failures: Readonly<Record<string, SecretFailure>> = {
  SecretNotFound: 'not found',
  SecretScheduled: 'not found',
  SecretVersionNotFound: 'not found',
  SecretNotDecryptable: 'not decryptable',
} satisfies { [Code in keyof SecretRefusals]?: SecretFailure }

/** ECR reads only secrets under the default key (ECR user guide, "Storing your upstream repository credentials"). */
function isDefaultKey(kmsKey: string | undefined): boolean {
  return kmsKey === undefined || /^(?:arn:aws:kms:[^:]*:[^:]*:)?(?:alias\/)?aws\/secretsmanager$/.test(kmsKey)
}

function parseCredentials(value: SecretValue): UpstreamCredentials | undefined {
  if (value.kind !== 'string') return undefined
  let document: unknown
  try {
    document = readJson(value.text)
  } catch {
    return undefined
  }
  if (!isObject(document)) return undefined
  const { username, accessToken } = document
  if (typeof username !== 'string' || typeof accessToken !== 'string') return undefined
  return username === '' || accessToken === '' ? undefined : { username, accessToken }
}
