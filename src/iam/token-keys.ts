import { randomBytes } from 'node:crypto'
import type { Clock } from '#lib/clock.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import type { SecretBox } from './secret-box.ts'
import type { SealingKey } from './token-seal.ts'

/**
 * The keys that seal authorization tokens, kept in the metadata store and shared by every process over it. Each process
 * remembers them and uses none that it has not seen there within the last five seconds, so that a key which was revoked
 * elsewhere is out of use everywhere by then.
 */

/** By id, oldest first; the last one seals. */
export type TokenKeySet = ReadonlyMap<string, SealingKey>

/** How long a token is valid (ECR API, AuthorizationData). A key is kept until the last of its tokens has expired. */
export const tokenLifetimeSeconds = 43_200

const rememberedForMs = 5_000
/** From this age on the keys are read again while those at hand still serve, so that under load nobody waits. */
const refreshedAfterMs = 2_500
/** By how much the clocks of two nodes may differ. */
const marginMs = 10 * 60_000

/** Every process gives the first key this id, so that of several that create it one succeeds. */
const firstId = 'first'

export class TokenKeys {
  readonly #metadata: Metadata
  readonly #clock: Clock
  readonly #box: SecretBox
  readonly #select: (parameters: Record<string, never>) => Promise<readonly { id: string; secret: string }[]>
  #keys: TokenKeySet = new Map()
  #readAt = Number.NEGATIVE_INFINITY
  #reading: Promise<TokenKeySet> | undefined

  constructor({ metadata, clock, box }: { metadata: Metadata; clock: Clock; box: SecretBox }) {
    this.#box = box
    this.#metadata = metadata
    this.#clock = clock
    this.#select = metadata.prepare<Record<string, never>, { id: string; secret: string }>((db) =>
      db.selectFrom('token_key').select(['id', 'secret']).orderBy('created_at').orderBy('id'),
    )
  }

  /** The keys at hand, or `undefined` where they are too old and must be awaited from `current`. */
  recent(): TokenKeySet | undefined {
    const age = this.#clock() - this.#readAt
    if (age < 0 || age >= rememberedForMs) return undefined
    // A failure is met by whoever comes when the keys at hand are too old.
    if (age >= refreshedAfterMs) this.#read().catch(() => {})
    return this.#keys
  }

  async current(): Promise<TokenKeySet> {
    return this.recent() ?? this.#read()
  }

  /** Looks again for a key that is not at hand: another process may have added it a moment ago. */
  async find(id: string): Promise<SealingKey | undefined> {
    return (await this.current()).get(id) ?? (await this.#readAgain()).get(id)
  }

  /** The key that seals, created when there is none. Read anew each time: a revoked key must not seal a new token. */
  async sealing(): Promise<SealingKey> {
    const key = newest(await this.#readAgain())
    if (key !== undefined) return key
    await this.#metadata.transaction(async (trx) => {
      const existing = await trx.selectFrom('token_key').select('id').executeTakeFirst()
      if (existing === undefined) await this.#addKey(trx, firstId, this.#clock())
    })
    const created = newest(await this.#readAgain())
    if (created === undefined) throw new Error('The token key that was just created is gone')
    return created
  }

  /** Oldest first; the last one seals. `createdAt` is in milliseconds since the epoch. */
  async list(): Promise<readonly { readonly id: string; readonly createdAt: number }[]> {
    const rows = await this.#metadata.reader
      .selectFrom('token_key')
      .select(['id', 'created_at as createdAt'])
      .orderBy('created_at')
      .orderBy('id')
      .execute()
    return rows
  }

  /**
   * Adds a key that seals from now on. Those before it verify what they sealed until all of it has expired, and then the
   * next rotation deletes them; `revoke` deletes them at once, and with them the validity of every token issued so far.
   */
  async rotate({ revoke = false }: { revoke?: boolean } = {}): Promise<void> {
    await this.#metadata.transaction(async (trx) => {
      const now = this.#clock()
      const earlier = await trx
        .selectFrom('token_key')
        .select(['id', 'created_at'])
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .forUpdate()
        .execute()
      // Later than any other, also where the clock of the node that made that one is ahead.
      const createdAt = Math.max(now, (earlier[0]?.created_at ?? 0) + 1)
      const expiredBefore = now - tokenLifetimeSeconds * 1_000 - marginMs
      const ids = earlier
        .filter((_, index) => revoke || (earlier[index - 1]?.created_at ?? createdAt) < expiredBefore)
        .map(({ id }) => id)
      if (ids.length > 0) await trx.deleteFrom('token_key').where('id', 'in', ids).execute()
      await this.#addKey(trx, randomBytes(12).toString('base64url'), createdAt)
    })
    await this.#readAgain()
  }

  async #addKey(trx: Transaction, id: string, createdAt: number): Promise<void> {
    const secret = this.#box.seal(randomBytes(32).toString('base64'))
    await trx
      .insertInto('token_key')
      .values({ id, secret, created_at: createdAt })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }

  #read(): Promise<TokenKeySet> {
    this.#reading ??= this.#load().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  /** By a read that begins now: one that is under way may not see what was committed since it began. */
  async #readAgain(): Promise<TokenKeySet> {
    await this.#reading
    return this.#read()
  }

  async #load(): Promise<TokenKeySet> {
    const readAt = this.#clock()
    const rows = await this.#select({})
    this.#keys = new Map(
      rows.map(({ id, secret }) => [id, { id, secret: Buffer.from(this.#box.open(secret), 'base64') }]),
    )
    this.#readAt = readAt
    return this.#keys
  }
}

function newest(keys: TokenKeySet): SealingKey | undefined {
  return [...keys.values()].at(-1)
}
