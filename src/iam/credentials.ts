import type { Metadata } from '#metadata/metadata.ts'
import type { AccountId } from '#names/account.ts'
import { withoutTags } from './identities/tags.ts'
import {
  type Principal,
  type PrincipalSession,
  parseTags,
  rootPrincipal,
  sessionPrincipal,
  userPrincipal,
} from './principal.ts'
import type { SecretBox } from './secret-box.ts'

/**
 * What requests are signed with, by access key id: the keys of roots and users (`AKIA…`) and temporary credentials (`ASIA…`),
 * each with the principal that it stands for. Read anew at each call, so that a key that is deleted or made inactive signs
 * nothing from then on.
 */
export interface Credential {
  readonly secret: string
  readonly principal: Principal
  /** Of temporary credentials. */
  readonly session?: {
    /** SHA-256 of the session token that must come along, in base64. */
    readonly tokenHash: string
    /** When they stop signing. Milliseconds since the epoch. */
    readonly expiresAt: number
  }
}

export class Credentials {
  readonly #box: SecretBox
  readonly #selectKey: (parameters: { id: string }) => Promise<readonly KeyRow[]>
  readonly #selectSession: (parameters: { id: string }) => Promise<readonly SessionRow[]>
  /** The rows of a query are the same objects until something was committed (`Metadata.prepare`). */
  readonly #made = new WeakMap<readonly object[], Credential>()

  constructor({ metadata, box }: { metadata: Metadata; box: SecretBox }) {
    this.#box = box
    this.#selectKey = metadata.prepare<{ id: string }, KeyRow>((db, parameter) =>
      db
        .selectFrom('access_key as key')
        .leftJoin('iam_user as user', 'user.id', 'key.user_id')
        .select([
          'key.id',
          'key.account',
          'key.secret',
          'key.created_at',
          'user.id as user_id',
          'user.name',
          'user.path',
        ])
        .select(['user.tags', 'user.boundary_arn'])
        .where('key.id', '=', parameter('id'))
        .where('key.status', '=', 'Active'),
    )
    this.#selectSession = metadata.prepare<{ id: string }, SessionRow>((db, parameter) =>
      db
        .selectFrom('session')
        .leftJoin('iam_user as user', 'user.id', 'session.owner_id')
        .leftJoin('iam_role as role', 'role.id', 'session.owner_id')
        .select(['session.id', 'session.account', 'session.secret', 'session.token_hash', 'session.owner_kind'])
        .select(['session.owner_id', 'session.name as session_name', 'session.policies', 'session.facts'])
        .select(['session.issued_at', 'session.expires_at'])
        .select(['user.name as user_name', 'user.path as user_path', 'user.tags as user_tags'])
        .select(['user.boundary_arn as user_boundary', 'role.boundary_arn as role_boundary'])
        .select(['role.name as role_name', 'role.path as role_path', 'role.tags as role_tags'])
        .where('session.id', '=', parameter('id')),
    )
  }

  /** Temporary credentials are found after they have expired too, for as long as what they asked for is valid. */
  async find(accessKeyId: string): Promise<Credential | undefined> {
    // An id comes from whoever asks. PostgreSQL refuses text that holds NUL.
    if (!/^\w{1,128}$/.test(accessKeyId)) return undefined
    const keys = await this.#selectKey({ id: accessKeyId })
    if (keys.length > 0) return this.#remember(keys, keyCredential)
    const sessions = await this.#selectSession({ id: accessKeyId })
    return sessions.length > 0 ? this.#remember(sessions, sessionCredential) : undefined
  }

  #remember<Row extends KeyRow | SessionRow>(
    rows: readonly Row[],
    make: (row: Row, secret: string) => Credential | undefined,
  ): Credential | undefined {
    const known = this.#made.get(rows)
    const [row] = rows
    if (known !== undefined || row === undefined) return known
    const credential = make(row, this.#box.open(row.secret))
    if (credential !== undefined) this.#made.set(rows, credential)
    return credential
  }
}

interface KeyRow {
  readonly id: string
  readonly account: string
  readonly secret: string
  readonly created_at: number
  readonly user_id: string | null
  readonly name: string | null
  readonly path: string | null
  readonly tags: string | null
  readonly boundary_arn: string | null
}

interface SessionRow {
  readonly id: string
  readonly account: string
  readonly secret: string
  readonly token_hash: string
  readonly owner_kind: string
  readonly owner_id: string
  readonly session_name: string | null
  readonly policies: string
  readonly facts: string
  readonly issued_at: number
  readonly expires_at: number
  readonly user_name: string | null
  readonly user_path: string | null
  readonly user_tags: string | null
  readonly user_boundary: string | null
  readonly role_name: string | null
  readonly role_path: string | null
  readonly role_tags: string | null
  readonly role_boundary: string | null
}

function keyCredential(row: KeyRow, secret: string): Credential {
  // Written with an account that was parsed.
  const account = row.account as AccountId
  const key = { accessKeyId: row.id, accessKeySince: row.created_at }
  if (row.user_id === null) return { secret, principal: rootPrincipal(account, key) }
  const user = {
    id: row.user_id,
    name: row.name ?? '',
    path: row.path ?? '/',
    tags: parseTags(row.tags),
    boundary: row.boundary_arn,
  }
  return { secret, principal: userPrincipal(account, user, key) }
}

/** Nothing where the user or the role is gone: its sessions end with it. */
function sessionCredential(row: SessionRow, secret: string): Credential | undefined {
  const account = row.account as AccountId
  const facts = JSON.parse(row.facts) as PrincipalSession['facts']
  const policies = JSON.parse(row.policies) as PrincipalSession['policies']
  const key = {
    ...{ accessKeyId: row.id, accessKeySince: row.issued_at },
    session: { policies, facts, issuedAt: row.issued_at },
  }
  const session = { tokenHash: row.token_hash, expiresAt: row.expires_at }
  if (row.owner_kind === 'root') return { secret, session, principal: rootPrincipal(account, key) }
  if (row.user_name !== null) {
    const user = {
      id: row.owner_id,
      name: row.user_name,
      path: row.user_path ?? '/',
      tags: parseTags(row.user_tags),
      boundary: row.user_boundary,
    }
    return { secret, session, principal: userPrincipal(account, user, key) }
  }
  if (row.role_name === null || row.session_name === null) return undefined
  const role = {
    ...{ id: row.owner_id, name: row.role_name, path: row.role_path ?? '/', boundary: row.role_boundary },
    tags: roleTags(row, facts),
  }
  const principal = sessionPrincipal(account, role, row.session_name, key)
  return { secret, session, principal }
}

/** Of a key that both have, in whatever case, the session's counts (IAM user guide, "Pass session tags in AWS STS"). */
function roleTags(row: SessionRow, facts: PrincipalSession['facts']): Readonly<Record<string, string>> {
  const given = sessionTags(facts)
  return { ...withoutTags(parseTags(row.role_tags), Object.keys(given)), ...given }
}

const sessionTagPrefix = 'aws:PrincipalTag/'

/** The tags that a session was given, which it keeps among its facts under the condition keys that tell them. */
function sessionTags(facts: PrincipalSession['facts']): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(facts).flatMap(([key, value]) =>
      key.startsWith(sessionTagPrefix) && typeof value === 'string'
        ? [[key.slice(sessionTagPrefix.length), value]]
        : [],
    ),
  )
}
