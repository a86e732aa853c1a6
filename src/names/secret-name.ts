import { type AccountId, isAccountId } from './account.ts'

/**
 * Names and ARNs of secrets. An ARN ends with six random characters, so that a secret which is created again under a name is another
 * resource (Secrets Manager user guide, "What's in a Secrets Manager secret?").
 */

/** What the name of each secret begins with: ECR reads no other secrets (ECR user guide, "Storing your upstream repository credentials"). */
export const secretNamePrefix = 'ecr-pullthroughcache/'

/** As ECR takes it in `credentialArn`. Secrets Manager has `!` too, for secrets that other services of AWS manage. */
const namePattern = /^[A-Za-z0-9/_+=.@-]{1,512}$/

export function isSecretName(text: string): boolean {
  return namePattern.test(text)
}

/** Stands in an ARN for the random characters that are not known: patterns of policies match it as they match any six. */
export const unknownSuffix = '??????'

export function secretArn(
  { account, region }: { readonly account: string; readonly region: string },
  name: string,
  suffix: string,
): string {
  return `arn:aws:secretsmanager:${region}:${account}:secret:${name}-${suffix}`
}

export interface SecretArn {
  readonly account: AccountId
  readonly region: string
  /** Of a whole ARN the name and the random characters, of a partial one the name alone. */
  readonly resource: string
}

const arnPattern = /^arn:aws:secretsmanager:([^:]*):([^:]*):secret:([^:]+)$/

/** `undefined` where the text is no ARN of a secret. */
export function parseSecretArn(text: string): SecretArn | undefined {
  const [, region, account, resource] = arnPattern.exec(text) ?? []
  if (region === undefined || account === undefined || resource === undefined || !isAccountId(account)) return undefined
  return { account, region, resource }
}

const suffixPattern = /^(.+)-([A-Za-z0-9]{6})$/

/** The name and the random characters, where the text may be both. */
export function splitSecretResource(resource: string): { readonly name: string; readonly suffix: string } | undefined {
  const [, name, suffix] = suffixPattern.exec(resource) ?? []
  return name === undefined || suffix === undefined ? undefined : { name, suffix }
}
