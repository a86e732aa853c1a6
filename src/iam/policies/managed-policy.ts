import type { Selectable } from 'kysely'
import { refuseEntity } from '#iam/entity-refusals.ts'
import { parseNewPolicy } from '#iam/policy/new-document.ts'
import type { Reader, Transaction } from '#metadata/metadata.ts'
import type { ManagedPolicyTable } from '#metadata/schema/iam.ts'
import type { AccountId } from '#names/account.ts'
import { type AwsManagedPolicy, awsManagedPolicies } from './aws-managed.ts'
import { documentSize } from './document-size.ts'

/** A managed policy as its table or AWS's own list has it, and the documents that are in force. */
export interface ManagedPolicy {
  readonly arn: string
  /** `ANPA…` */
  readonly id: string
  readonly owner: 'account' | 'aws'
  readonly name: string
  readonly path: string
  readonly description: string | undefined
  /** Milliseconds since the epoch, as all times here. */
  readonly createdAt: number
  readonly updatedAt: number
  readonly defaultVersion: number
  readonly tags: Readonly<Record<string, string>>
}

/** One of the account, or of AWS; `undefined` for one of another account too. */
export async function findManagedPolicy(
  reader: Reader,
  account: AccountId,
  arn: string,
): Promise<ManagedPolicy | undefined> {
  const aws = awsManagedPolicies.get(arn)
  if (aws !== undefined) return ofAws(aws)
  const row = await selectPolicy(reader, account, arn).executeTakeFirst()
  return row && parseManagedPolicy(row)
}

/** @throws Refusal `EntityNotFound` */
export async function getManagedPolicy(reader: Reader, account: AccountId, arn: string): Promise<ManagedPolicy> {
  const policy = await findManagedPolicy(reader, account, arn)
  if (policy === undefined) throw refuseEntity('EntityNotFound', { kind: 'policy', name: arn })
  return policy
}

/**
 * Holds the account's policy still until the transaction ends: whoever attaches it, adds versions to it or deletes it waits for one
 * another. One of AWS needs no lock, since nobody deletes it.
 *
 * @throws Refusal `EntityNotFound`
 */
export async function lockManagedPolicy(trx: Transaction, account: AccountId, arn: string): Promise<ManagedPolicy> {
  const row = awsManagedPolicies.has(arn)
    ? undefined
    : await selectPolicy(trx, account, arn).forUpdate().executeTakeFirst()
  return row ? parseManagedPolicy(row) : getManagedPolicy(trx, account, arn)
}

/** The same, for a change of the policy itself. @throws Refusal `EntityNotFound`, `EntityUnmodifiable` */
export async function lockOwnPolicy(trx: Transaction, account: AccountId, arn: string): Promise<ManagedPolicy> {
  const policy = await lockManagedPolicy(trx, account, arn)
  if (policy.owner === 'aws') throw refuseEntity('EntityUnmodifiable', { arn })
  return policy
}

/** The text of the version in force, of a policy of an account or of AWS. */
export async function findPolicyDocument(reader: Reader, arn: string): Promise<string | undefined> {
  const aws = awsManagedPolicies.get(arn)
  if (aws !== undefined) return aws.document
  const row = await reader
    .selectFrom('managed_policy')
    .innerJoin('managed_policy_version', (join) =>
      join
        .onRef('managed_policy_version.policy_arn', '=', 'managed_policy.arn')
        .onRef('managed_policy_version.version', '=', 'managed_policy.default_version'),
    )
    .select('managed_policy_version.document')
    .where('managed_policy.arn', '=', arn)
    .executeTakeFirst()
  return row?.document
}

export function parseManagedPolicy(row: Selectable<ManagedPolicyTable>): ManagedPolicy {
  return {
    arn: row.arn,
    id: row.id,
    owner: 'account',
    name: row.name,
    path: row.path,
    description: row.description ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    defaultVersion: row.default_version,
    tags: JSON.parse(row.tags),
  }
}

export function ofAws({ arn, id, name, path, description, createdAt, version }: AwsManagedPolicy): ManagedPolicy {
  return {
    ...{ arn, id, owner: 'aws', name, path, description, createdAt, updatedAt: createdAt, defaultVersion: version },
    tags: {},
  }
}

/** Imposed by IAM ("IAM and AWS STS quotas"), in characters that are no white space. */
const longestManagedPolicy = 6_144

/** @throws Refusal `PolicyMalformed`, `EntityQuotaExceeded` */
export function requireManagedDocument(text: string): void {
  if (documentSize(text) > longestManagedPolicy) {
    throw refuseEntity('EntityQuotaExceeded', { quota: 'managed policy size', limit: longestManagedPolicy })
  }
  parseNewPolicy(text, 'managed')
}

function selectPolicy(reader: Reader, account: AccountId, arn: string) {
  return reader.selectFrom('managed_policy').selectAll().where('arn', '=', arn).where('account', '=', account)
}
