import type { Transaction } from '#metadata/metadata.ts'
import type { AccountId } from '#names/account.ts'

/**
 * Creates the account unless it is there, and holds its row until the transaction ends: others who do so wait. Answers whether
 * it was created.
 */
export async function ensureAccount(trx: Transaction, account: AccountId, now: number): Promise<boolean> {
  const created = await trx
    .insertInto('account')
    .values({ id: account, created_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst()
  await trx.selectFrom('account').select('id').where('id', '=', account).forUpdate().execute()
  return created !== undefined
}
