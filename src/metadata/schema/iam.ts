/** The tables of the room `iam`. Times are milliseconds since the epoch, UTC. */

export interface IamTables {
  account: AccountTable
  access_key: AccessKeyTable
  token_key: TokenKeyTable
}

export interface AccountTable {
  id: string
  created_at: number
}

export interface AccessKeyTable {
  id: string
  account: string
  /** As issued: SigV4 derives its keys from it, so a hash would not do. */
  secret: string
  created_at: number
}

/** Keys that sign authorization tokens. The newest signs; the others verify what they signed until it has expired. */
export interface TokenKeyTable {
  id: string
  /** Base64 of the key's bytes. */
  secret: string
  created_at: number
}
