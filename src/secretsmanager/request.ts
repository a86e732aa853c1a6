import type { HandlerRequest, ResourceRequest } from '#aws/operation.ts'
import type { Conditions } from '#iam/circumstances.ts'
import { secretArn, unknownSuffix } from '#names/secret-name.ts'
import { refuse as refuseSecret } from '#secrets/refusals.ts'
import type { SecretTag } from '#secrets/secret-tags.ts'
import type { SecretValue } from '#secrets/secret-value.ts'
import type { Secrets } from '#secrets/secrets.ts'
import type { Tag } from './model.ts'

/** What most operations have in common: they are about the secret that a caller names. */

interface SecretInput {
  readonly SecretId: string
}

/**
 * The parts that each operation on a secret declares. The secret is looked up once, before authorization, and the operation acts on the
 * ARN that was authorized. A denial shows the name that the caller gave, so that it reveals nothing.
 */
export function aboutSecret(secrets: Pick<Secrets, 'arnOf'>) {
  return {
    resource: ({ input, registry }: ResourceRequest<SecretInput>) => secrets.arnOf(registry, input.SecretId),
    named: ({ SecretId }: SecretInput) => SecretId,
  }
}

/** The ARN that the caller was found to be allowed to act on. */
export function authorizedArn({ resources }: Pick<HandlerRequest<unknown>, 'resources'>): string {
  const [resource] = resources
  if (typeof resource !== 'string') throw new Error('an operation on a secret was not authorized')
  return resource
}

/** The ARN of a secret that is still to be created. */
export function newSecretArn({ input, registry }: ResourceRequest<{ readonly Name: string }>): string {
  return secretArn(registry, input.Name, unknownSuffix)
}

interface ConditionInput {
  readonly Name?: string | undefined
  readonly SecretId?: string | undefined
  readonly Description?: string | undefined
  readonly KmsKeyId?: string | undefined
  readonly VersionId?: string | undefined
  readonly VersionStage?: string | undefined
  readonly RecoveryWindowInDays?: number | undefined
  readonly ForceDeleteWithoutRecovery?: boolean | undefined
  readonly Tags?: readonly Tag[] | undefined
  readonly TagKeys?: readonly string[] | undefined
}

const conditionMembers = [
  ...(['Name', 'SecretId', 'Description', 'KmsKeyId', 'VersionId', 'VersionStage'] as const),
  ...(['RecoveryWindowInDays', 'ForceDeleteWithoutRecovery'] as const),
]

/** What a request reveals to policies (Service Authorization Reference, AWS Secrets Manager, "Condition keys"). */
export function conditionsOf({ input }: { readonly input: ConditionInput }): Conditions {
  const { Tags = [], TagKeys = Tags.map(({ Key = '' }) => Key) } = input
  const members = conditionMembers.flatMap((member) => {
    const value = input[member]
    return value === undefined ? [] : [[`secretsmanager:${member}`, String(value)] as const]
  })
  const tags = Tags.map(({ Key = '', Value = '' }) => [`aws:RequestTag/${Key}`, Value] as const)
  return [...members, ...tags, ...(TagKeys.length > 0 ? [['aws:TagKeys', TagKeys] as const] : [])]
}

interface ValueInput {
  readonly SecretString?: string | undefined
  readonly SecretBinary?: Uint8Array | undefined
}

/** @throws Refusal `SecretValueInvalid` */
export function givenValue({ SecretString: text, SecretBinary: bytes }: ValueInput): SecretValue | undefined {
  if (text !== undefined && bytes !== undefined) throw refuseSecret('SecretValueInvalid', { problem: 'both' })
  if (text !== undefined) return { kind: 'string', text }
  return bytes === undefined ? undefined : { kind: 'binary', bytes }
}

/** @throws Refusal `SecretTokenMissing` */
export function givenToken({
  ClientRequestToken: token,
}: {
  readonly ClientRequestToken?: string | undefined
}): string {
  if (token === undefined) throw refuseSecret('SecretTokenMissing', {})
  return token
}

export function givenTags(tags: readonly Tag[]): SecretTag[] {
  return tags.map(({ Key: key = '', Value: value = '' }) => ({ key, value }))
}
