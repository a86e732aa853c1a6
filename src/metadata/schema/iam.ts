import type { Generated } from 'kysely'

/**
 * The tables of the room `iam`.
 *
 *   account ─┬─< iam_user ──< access_key               a key without a user is the root's
 *            ├─< iam_group ──< iam_group_member >── iam_user
 *            ├─< iam_role
 *            ├─< managed_policy ──< managed_policy_version
 *            ├─< oidc_provider
 *            └─< session                               temporary credentials
 *   inline_policy, policy_attachment                   by the unique id of a user, group or role
 *
 * Times are milliseconds since the epoch, UTC. JSON columns are parsed when read. Secrets are sealed (`iam/secret-box.ts`).
 */
export interface IamTables {
  account: AccountTable
  access_key: AccessKeyTable
  token_key: TokenKeyTable
  iam_user: UserTable
  iam_group: GroupTable
  iam_group_member: GroupMemberTable
  iam_role: RoleTable
  oidc_provider: OidcProviderTable
  managed_policy: ManagedPolicyTable
  managed_policy_version: ManagedPolicyVersionTable
  inline_policy: InlinePolicyTable
  policy_attachment: PolicyAttachmentTable
  session: SessionTable
  secret_check: SecretCheckTable
}

export interface AccountTable {
  id: string
  created_at: number
  /** For people. */
  name: Generated<string | null>
}

export interface AccessKeyTable {
  id: string
  account: string
  /** Sealed, not hashed: SigV4 derives its keys from it. */
  secret: string
  created_at: number
  /** Of its user; `null` for the root of the account. */
  user_id: Generated<string | null>
  /** `Active` or `Inactive`. */
  status: Generated<string>
  last_used_at: Generated<number | null>
  last_used_service: Generated<string | null>
  last_used_region: Generated<string | null>
}

/** Keys that sign authorization tokens. The newest signs; the others verify what they signed until it has expired. */
export interface TokenKeyTable {
  id: string
  /** Sealed base64 of the key's bytes. */
  secret: string
  created_at: number
}

export interface UserTable {
  /** `AIDA…`. */
  id: string
  account: string
  name: string
  /** The name in lower case: names are unique without regard to case. */
  name_key: string
  path: string
  created_at: number
  boundary_arn: string | null
  /** JSON: object of tags, key to value. */
  tags: string
}

export interface GroupTable {
  /** `AGPA…`. */
  id: string
  account: string
  name: string
  name_key: string
  path: string
  created_at: number
}

export interface GroupMemberTable {
  group_id: string
  user_id: string
}

export interface RoleTable {
  /** `AROA…`. */
  id: string
  account: string
  name: string
  name_key: string
  path: string
  created_at: number
  description: string | null
  trust_policy: string
  max_session_seconds: number
  boundary_arn: string | null
  tags: string
  last_used_at: number | null
  last_used_region: string | null
}

export interface OidcProviderTable {
  /** `arn:aws:iam::<account>:oidc-provider/<url without scheme>`. */
  arn: string
  account: string
  /** Without the scheme, as IAM shows it. */
  url: string
  /** JSON: array of texts. */
  client_ids: string
  /** JSON: array of texts. */
  thumbprints: string
  created_at: number
  tags: string
}

export interface ManagedPolicyTable {
  arn: string
  /** `ANPA…`. */
  id: string
  account: string
  name: string
  name_key: string
  path: string
  description: string | null
  created_at: number
  updated_at: number
  default_version: number
  /** The highest number that a version ever had, since none is given twice. */
  last_version: number
  tags: string
}

export interface ManagedPolicyVersionTable {
  policy_arn: string
  version: number
  document: string
  created_at: number
}

export interface InlinePolicyTable {
  /** The unique id of a user, a group or a role. */
  owner_id: string
  name: string
  document: string
}

export interface PolicyAttachmentTable {
  /** The unique id of a user, a group or a role. */
  owner_id: string
  /** Of a policy of the account, or of AWS. */
  policy_arn: string
  attached_at: number
}

/** Temporary credentials, kept until what they may have asked for has expired too. */
export interface SessionTable {
  /** The access key id, `ASIA…`. */
  id: string
  secret: string
  /** SHA-256 of the session token in base64. */
  token_hash: string
  account: string
  /** `root`, `user` or `role`. */
  owner_kind: string
  /** The unique id of the user or role; the account's number for root. */
  owner_id: string
  /** A role session's name. */
  name: string | null
  /** JSON: array of `{name, document}`: the session policies. Empty without any. */
  policies: string
  /** JSON: object of further condition keys and their values, such as those of a web identity. */
  facts: string
  issued_at: number
  expires_at: number
  /** The caller that it is counted for (`iam/session-quota.ts`); empty for one of an earlier version. */
  opened_by: Generated<string>
}

/** One row: a text that only the right key opens. */
export interface SecretCheckTable {
  id: string
  sealed: string
}
