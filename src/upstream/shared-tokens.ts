import { createHash } from 'node:crypto'
import type { SecretBox } from '#iam/secret-box.ts'
import type { Claims } from '#jobs/claims.ts'
import { BoundedMap } from '#lib/bounded-map.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { RemoteToken, TokenCache } from '#remote/registry.ts'

/**
 * Tokens of upstreams that all processes share, sealed in the database, so that each scope costs one request to the upstream. A process
 * remembers what it has read.
 */
const mostTokens = 1_000
/** A token that is about to expire is worth no request. */
const marginMs = 10_000

export function createSharedTokens({
  metadata,
  clock,
  claims,
  box,
}: {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly claims: Claims
  readonly box: SecretBox
}): TokenCache {
  const remembered = new BoundedMap<string, RemoteToken>(mostTokens)

  function isGood({ expiresAt }: RemoteToken): boolean {
    return expiresAt - marginMs > clock()
  }

  async function read(key: string): Promise<string | undefined> {
    const row = await metadata.reader
      .selectFrom('upstream_token')
      .select(['sealed', 'expires_at'])
      .where('key', '=', key)
      .executeTakeFirst()
    if (row === undefined) return undefined
    const token = openOrForget(row.sealed)
    if (token === undefined || !isGood({ token, expiresAt: row.expires_at })) return undefined
    remembered.set(key, { token, expiresAt: row.expires_at })
    return token
  }

  /** A token that was sealed under another key is fetched again. */
  function openOrForget(sealed: string): string | undefined {
    try {
      return box.open(sealed)
    } catch {
      return undefined
    }
  }

  async function keep(key: string, { token, expiresAt }: RemoteToken): Promise<void> {
    const row = { sealed: box.seal(token), expires_at: expiresAt }
    await metadata.transaction(async (trx) => {
      await trx
        .insertInto('upstream_token')
        .values({ key, ...row })
        .onConflict((conflict) => conflict.column('key').doUpdateSet(row))
        .execute()
      await trx.deleteFrom('upstream_token').where('expires_at', '<', clock()).execute()
    })
  }

  return {
    async get(name, fetch) {
      const key = createHash('sha256').update(name).digest('hex')
      const known = remembered.get(key)
      if (known !== undefined && isGood(known)) return known.token
      return claims.share(
        `token ${key}`,
        () => read(key),
        async () => {
          const fetched = await fetch()
          remembered.set(key, fetched)
          // A token for a moment is not worth a row.
          if (isGood(fetched)) await keep(key, fetched)
          return fetched.token
        },
      )
    },

    async drop(name, token) {
      const key = createHash('sha256').update(name).digest('hex')
      if (remembered.get(key)?.token === token) remembered.delete(key)
      await metadata.transaction(async (trx) => {
        const row = await trx.selectFrom('upstream_token').select('sealed').where('key', '=', key).executeTakeFirst()
        if (row !== undefined && openOrForget(row.sealed) === token) {
          await trx.deleteFrom('upstream_token').where('key', '=', key).execute()
        }
      })
    },
  }
}
