import type { Reader } from '#metadata/metadata.ts'

/** Whose an access key is: the account's number, for a key of a root, a user or a session; `undefined` for one that is not known. */
export type FindKeyAccount = (accessKeyId: string) => Promise<string | undefined>

export function createKeyAccounts({ reader }: { reader: Reader }): FindKeyAccount {
  return async (accessKeyId) => {
    for (const table of ['access_key', 'session'] as const) {
      const row = await reader.selectFrom(table).select('account').where('id', '=', accessKeyId).executeTakeFirst()
      if (row !== undefined) return row.account
    }
    return undefined
  }
}
