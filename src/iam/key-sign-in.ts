import { createHash, timingSafeEqual } from 'node:crypto'
import { networkOf } from '#lib/address-ranges.ts'
import type { Clock } from '#lib/clock.ts'
import { createFailureLimit } from '#lib/failure-limit.ts'
import type { Credentials } from './credentials.ts'
import type { Principal } from './principal.ts'

/**
 * Sign-in by an access key id as user and its secret as password, for programs that cannot sign. Temporary credentials are refused:
 * they need a session token, for which Basic credentials have no place.
 */
export interface KeySignIn {
  verify(attempt: KeyAttempt): Promise<KeyAnswer>
}

export interface KeyAttempt {
  readonly id: string
  readonly secret: string
  readonly sourceIp: string
}

/** One answer for an unknown id, another secret and an inactive key: callers learn nothing about which keys exist. */
export type KeyAnswer =
  | { readonly is: 'right'; readonly principal: Principal }
  | { readonly is: 'wrong' }
  | { readonly is: 'throttled'; readonly waitMs: number }

/** Against guessing: an operator may have chosen a root secret of eight characters. Counted in each process. */
const windowMs = 60_000
const mostOfAddressAndKey = 10
const mostOfAddress = 100
const rememberedKeys = 20_000

export interface KeySignInParts {
  readonly credentials: Pick<Credentials, 'find'>
  readonly clock: Clock
}

export function createKeySignIn({ credentials, clock }: KeySignInParts): KeySignIn {
  const limits = { clock, windowMs, keys: rememberedKeys }
  const ofAddressAndKey = createFailureLimit({ ...limits, most: mostOfAddressAndKey })
  const ofAddress = createFailureLimit({ ...limits, most: mostOfAddress })

  return {
    async verify({ id, secret, sourceIp }) {
      const address = networkOf(sourceIp)
      const pair = `${address} ${/^\w{1,128}$/.test(id) ? id : ''}`
      const waitMs = () => Math.max(ofAddressAndKey.waitMs(pair), ofAddress.waitMs(address))
      if (waitMs() > 0) return { is: 'throttled', waitMs: waitMs() }
      const credential = await credentials.find(id)
      // Again, in the same turn as the comparison: of attempts that arrive together no more than the limit are compared.
      if (waitMs() > 0) return { is: 'throttled', waitMs: waitMs() }
      // Compared also where there is no such key, so that the time does not show which keys exist.
      const right = isSame(secret, credential?.secret ?? '')
      if (credential !== undefined && credential.session === undefined && right) {
        return { is: 'right', principal: credential.principal }
      }
      ofAddressAndKey.failed(pair)
      ofAddress.failed(address)
      return { is: 'wrong' }
    },
  }
}

/** In a time that depends on neither text. */
function isSame(one: string, other: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(one), hash(other)) && other !== ''
}
