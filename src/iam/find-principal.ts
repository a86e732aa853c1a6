import type { Reader } from '#metadata/metadata.ts'
import { isAccountId } from '#names/account.ts'
import type { Credentials } from './credentials.ts'
import { nameKey } from './identities/owners.ts'
import {
  anonymousPrincipal,
  type Caller,
  groupPrincipal,
  type Principal,
  parseTags,
  rootPrincipal,
  sessionPrincipal,
  userPrincipal,
} from './principal.ts'

/**
 * Whom an ARN or an access key id names, as requests of it would be decided now: a root, a user, a session of a role. A session's
 * own policies and tags count where it is found; of a role alone, and of a session that is over, those of the role do. A group
 * stands for a member with the group's policies alone.
 */
export type FindPrincipal = (named: string) => Promise<Principal | undefined>

/** The same, and the caller without credentials by its name in texts. */
export async function findCaller(findPrincipal: FindPrincipal, named: string): Promise<Caller | undefined> {
  return named === anonymousPrincipal.arn ? anonymousPrincipal : findPrincipal(named)
}

const arnPattern = /^arn:aws:(?:iam|sts)::(\d{12}):(root|user|group|role|assumed-role)(\/.+)?$/

/** Stands for the session of a role that is asked about by itself. */
const anySession = 'any-session'

const noKey = { accessKeyId: '', accessKeySince: 0 }

export function createFindPrincipal({
  reader,
  credentials,
}: {
  readonly reader: Reader
  readonly credentials: Pick<Credentials, 'find'>
}): FindPrincipal {
  async function findRole(account: string, name: string, session: string): Promise<Principal | undefined> {
    const role = await reader
      .selectFrom('iam_role')
      .select(['id', 'name', 'path', 'tags', 'boundary_arn as boundary'])
      .where('account', '=', account)
      .where('name_key', '=', nameKey(name))
      .executeTakeFirst()
    if (role === undefined || !isAccountId(account)) return undefined
    const latest = await reader
      .selectFrom('session')
      .select('id')
      .where('account', '=', account)
      .where('owner_id', '=', role.id)
      .where('name', '=', session)
      .orderBy('issued_at', 'desc')
      .executeTakeFirst()
    const found = latest && (await credentials.find(latest.id))
    return found?.principal ?? sessionPrincipal(account, { ...role, tags: parseTags(role.tags) }, session, noKey)
  }

  async function findUser(account: string, name: string): Promise<Principal | undefined> {
    const user = await reader
      .selectFrom('iam_user')
      .select(['id', 'name', 'path', 'tags', 'boundary_arn as boundary'])
      .where('account', '=', account)
      .where('name_key', '=', nameKey(name))
      .executeTakeFirst()
    if (user === undefined || !isAccountId(account)) return undefined
    return userPrincipal(account, { ...user, tags: parseTags(user.tags) }, noKey)
  }

  async function findGroup(account: string, name: string): Promise<Principal | undefined> {
    const group = await reader
      .selectFrom('iam_group')
      .select(['id', 'name', 'path'])
      .where('account', '=', account)
      .where('name_key', '=', nameKey(name))
      .executeTakeFirst()
    return group !== undefined && isAccountId(account) ? groupPrincipal(account, group) : undefined
  }

  async function findRoot(account: string): Promise<Principal | undefined> {
    const row = await reader.selectFrom('account').select('id').where('id', '=', account).executeTakeFirst()
    return row !== undefined && isAccountId(account) ? rootPrincipal(account, noKey) : undefined
  }

  return async function findPrincipal(named) {
    if (named.includes('\0')) return undefined
    const [, account, kind, path = ''] = arnPattern.exec(named) ?? []
    if (account === undefined) return (await credentials.find(named))?.principal
    const last = path.slice(path.lastIndexOf('/') + 1)
    const found = await {
      root: () => findRoot(account),
      user: () => findUser(account, last),
      group: () => findGroup(account, last),
      role: () => findRole(account, last, anySession),
      'assumed-role': () => findRole(account, path.split('/')[1] ?? '', last),
    }[kind as 'root' | 'user' | 'group' | 'role' | 'assumed-role']()
    // A path that is not the user's or the role's names somebody else.
    return found?.arn === named || found?.identityArn === named ? found : undefined
  }
}
