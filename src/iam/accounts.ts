import type { Clock } from '#lib/clock.ts'
import { type Page, pageOf } from '#lib/page.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import { type AccountId, parseAccountId } from '#names/account.ts'

/** The accounts of a deployment. None is ever deleted. */
export interface Account {
  readonly id: AccountId
  /** For people; need not be unique. */
  readonly name: string | undefined
  /** Milliseconds since the epoch. */
  readonly createdAt: number
}

export interface Accounts {
  /** `undefined` where there is one of that number. */
  create(id: AccountId, name: string | undefined): Promise<Account | undefined>
  find(id: AccountId): Promise<Account | undefined>
  /** By number. */
  list(page: { readonly limit: number; readonly after?: string | undefined }): Promise<Page<Account, string>>
}

export function createAccounts({ metadata, clock }: { readonly metadata: Metadata; readonly clock: Clock }): Accounts {
  const select = () => metadata.reader.selectFrom('account').selectAll()
  return {
    create: (id, name) =>
      metadata.transaction(async (trx) => {
        const createdAt = clock()
        if (!(await ensureAccount(trx, id, createdAt))) return undefined
        if (name !== undefined) await trx.updateTable('account').set({ name }).where('id', '=', id).execute()
        return { id, name, createdAt }
      }),

    async find(id) {
      const row = await select().where('id', '=', id).executeTakeFirst()
      return row && parseAccount(row)
    },

    async list({ limit, after = '' }) {
      const rows = await select()
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit + 1)
        .execute()
      return pageOf(rows.map(parseAccount), limit, ({ id }) => id)
    },
  }
}

function parseAccount(row: {
  readonly id: string
  readonly name: string | null
  readonly created_at: number
}): Account {
  return { id: parseAccountId(row.id), name: row.name ?? undefined, createdAt: row.created_at }
}

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
