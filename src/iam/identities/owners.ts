import { refuseEntity } from '#iam/entity-refusals.ts'
import type { OwnerKind } from '#iam/policies/usage.ts'
import type { PrincipalChange } from '#iam/policy/rename-principal.ts'
import type { Reader, Transaction } from '#metadata/metadata.ts'
import type { AccountId } from '#names/account.ts'

/**
 * Users, groups and roles as what they have in common: names that are unique in their account without regard to case, a path,
 * and policies. Whoever changes what one of them has holds its row first; after it come managed policies.
 */
export interface OwnerRef {
  readonly account: AccountId
  readonly kind: OwnerKind
  readonly name: string
}

export interface Owner extends OwnerRef {
  /** The unique id. */
  readonly id: string
  /** `/`, or `/…/`. */
  readonly path: string
}

const tables = { user: 'iam_user', group: 'iam_group', role: 'iam_role' } as const

/** Where the identities of an account are found by name. */
export interface Owners {
  /** The ARN, with the path that only the database knows; without any for a name that nobody has. */
  arnOf(ref: OwnerRef): Promise<string>
  /** When the account was created, and with it its root. Milliseconds since the epoch. */
  rootSince(account: AccountId): Promise<number>
}

export function createOwners({ reader }: { readonly reader: Reader }): Owners {
  return {
    arnOf: async (ref) => ownerArn((await findOwner(reader, ref)) ?? { ...ref, path: '/' }),
    async rootSince(account) {
      const row = await reader
        .selectFrom('account')
        .select('created_at')
        .where('id', '=', account)
        .executeTakeFirstOrThrow()
      return row.created_at
    },
  }
}

/** Names are unique without regard to case. */
export function nameKey(name: string): string {
  return name.toLowerCase()
}

function findOwner(reader: Reader, ref: OwnerRef): Promise<Owner | undefined> {
  return selectOwner(reader, ref)
    .executeTakeFirst()
    .then((row) => row && { ...ref, ...row })
}

/** @throws Refusal `EntityNotFound` */
export async function getOwner(reader: Reader, ref: OwnerRef): Promise<Owner> {
  return (await findOwner(reader, ref)) ?? absent(ref)
}

/** Holds its row until the transaction ends. @throws Refusal `EntityNotFound` */
export async function lockOwner(trx: Transaction, ref: OwnerRef): Promise<Owner> {
  const row = await selectOwner(trx, ref).forUpdate().executeTakeFirst()
  return row === undefined ? absent(ref) : { ...ref, ...row }
}

function absent({ kind, name }: OwnerRef): never {
  throw refuseEntity('EntityNotFound', { kind, name })
}

function selectOwner(reader: Reader, { account, kind, name }: OwnerRef) {
  // The three tables have these columns alike.
  return reader
    .selectFrom(tables[kind] as 'iam_user')
    .select(['id', 'name', 'path'])
    .where('account', '=', account)
    .where('name_key', '=', nameKey(name))
}

/**
 * Keeps others from giving names in the account until the transaction ends, so that a name that was found free stays so. The
 * weaker lock lets rows that refer to the account come and go.
 */
export async function holdNames(trx: Transaction, account: AccountId): Promise<void> {
  await trx.selectFrom('account').select('id').where('id', '=', account).forNoKeyUpdate().execute()
}

/** @throws Refusal `EntityExists` where another of its kind has the name */
export async function requireFree(trx: Transaction, ref: OwnerRef, ownId?: string): Promise<void> {
  const found = await findOwner(trx, ref)
  if (found !== undefined && found.id !== ownId) throw refuseEntity('EntityExists', { kind: ref.kind, name: ref.name })
}

/** What is left out stays as it is. */
export interface NameChange {
  readonly name: string | undefined
  readonly path: string | undefined
}

/** Renames or moves one, which keeps its id and all that it has. Answers how. @throws Refusal `EntityNotFound`, `EntityExists` */
export async function renameOwner(trx: Transaction, ref: OwnerRef, changed: NameChange): Promise<PrincipalChange> {
  await holdNames(trx, ref.account)
  const { id, name, path } = await lockOwner(trx, ref)
  const next = { name: changed.name ?? name, path: changed.path ?? path }
  await requireFree(trx, { ...ref, name: next.name }, id)
  await trx
    // As above: the tables have these columns alike.
    .updateTable(tables[ref.kind] as 'iam_user')
    .set({ ...next, name_key: nameKey(next.name) })
    .where('id', '=', id)
    .execute()
  return { from: ownerArn({ ...ref, path, name }), to: ownerArn({ ...ref, ...next }) }
}

/** `arn:aws:iam::<account>:user/<path><name>` (IAM user guide, "IAM ARNs"). */
export function ownerArn({ account, kind, path, name }: Pick<Owner, 'account' | 'kind' | 'path' | 'name'>): string {
  return `arn:aws:iam::${account}:${kind}${path}${name}`
}
