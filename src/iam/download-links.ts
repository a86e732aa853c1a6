import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '#lib/clock.ts'
import { type AccountId, isAccountId } from '#names/account.ts'
import type { Digest } from '#names/digest.ts'
import { isRegion, type Region } from '#names/region.ts'
import type { Registry } from '#names/registry.ts'
import type { RepositoryName } from '#names/repository-name.ts'
import type { TokenKeys } from './token-keys.ts'

/**
 * Links that let whoever holds them download one blob for an hour, as ECR's GetDownloadUrlForLayer gives: the caller was
 * authorized when the link was made, and the link is good for nothing else. Sealed by the keys of authorization tokens, over
 * a text that no token's claims can be.
 */
export interface DownloadLinks {
  /** The text to put into the link. */
  seal(blob: LinkedBlobName): Promise<string>
  /** The registry of the link if it is valid for this blob, else `undefined`. */
  verify(link: string, blob: { readonly name: RepositoryName; readonly digest: string }): Promise<Registry | undefined>
}

export interface LinkedBlobName {
  readonly registry: Registry
  readonly name: RepositoryName
  readonly digest: Digest
}

/** The query parameter that carries a link in a blob's URL. */
export const linkParameter = 'link'

/** As long as the URLs that ECR gives are good for. */
const lifetimeSeconds = 3_600

export function createDownloadLinks({ keys, clock }: { keys: TokenKeys; clock: Clock }): DownloadLinks {
  return {
    async seal({ registry, name, digest }) {
      const { id, secret } = await keys.sealing()
      const expiration = Math.floor(clock() / 1_000) + lifetimeSeconds
      const mac = macOf(secret, { ...registry, name, digest, expiration })
      return [registry.account, registry.region, expiration, id, mac.toString('base64url')].join('.')
    },

    async verify(link, { name, digest }) {
      const [account = '', region = '', expires = '', keyId = '', mac = ''] = link.split('.')
      const expiration = Number(expires)
      if (!isAccountId(account) || !isRegion(region) || !(clock() < expiration * 1_000)) return undefined
      const key = await keys.find(keyId)
      if (key === undefined) return undefined
      const given = Buffer.from(mac, 'base64url')
      const expected = macOf(key.secret, { account, region, name, digest, expiration })
      return given.length === expected.length && timingSafeEqual(given, expected) ? { account, region } : undefined
    },
  }
}

interface Sealed {
  readonly account: AccountId
  readonly region: Region
  readonly name: string
  readonly digest: string
  readonly expiration: number
}

function macOf(secret: Buffer, { account, region, name, digest, expiration }: Sealed): Buffer {
  const text = ['download-link', account, region, name, digest, expiration].join('\n')
  return createHmac('sha256', secret).update(text).digest()
}
