import { createLocalJWKSet, type JSONWebKeySet } from 'jose'
import { BoundedMap } from '#lib/bounded-map.ts'
import type { Clock } from '#lib/clock.ts'
import { type Fetch, FetchFailure } from '#lib/fetch.ts'
import { refuse } from './refusals.ts'

/**
 * The keys that identity providers sign with, as each publishes them (OpenID Connect Discovery 1.0, section 4). Anybody may ask
 * for a token to be verified, so what is asked of a provider does not grow with how often that happens: its keys are kept, an
 * answer is shared by all who wait for it, and nothing is asked again before thirty seconds are over, whatever came of it.
 */
export interface ProviderKeys {
  /**
   * Of the provider with that URL, `https://…`. Another set than `lacking`, in which a key was missing, if it may be asked again.
   *
   * @throws Refusal `ProviderUnreachable`
   */
  get(issuer: string, lacking?: KeySet): Promise<KeySet>
}

export type KeySet = ReturnType<typeof createLocalJWKSet>

const keptProviders = 100
/** A key that its provider withdraws is good for so long. */
const keptForMs = 10 * 60_000
const askedAgainAfterMs = 30_000
const limits = { maxBytes: 256 * 1024, deadlineMs: 5_000 }

interface Asked {
  readonly at: number
  readonly answer: Promise<KeySet>
  /** What came; undefined while nothing has, and when nothing did. */
  keys: KeySet | undefined
}

export function createProviderKeys({ fetch, clock }: { fetch: Fetch; clock: Clock }): ProviderKeys {
  const asked = new BoundedMap<string, Asked>(keptProviders)

  function ask(issuer: string): Promise<KeySet> {
    const entry: Asked = { at: clock(), answer: fetchKeys(fetch, issuer), keys: undefined }
    asked.set(issuer, entry)
    entry.answer.then(
      (keys) => {
        entry.keys = keys
      },
      // For those who wait for it; perhaps nobody does any more.
      () => undefined,
    )
    return entry.answer
  }

  return {
    async get(issuer, lacking) {
      const known = asked.get(issuer)
      if (known === undefined) return ask(issuer)
      const ageMs = Math.abs(clock() - known.at)
      const good = known.keys !== undefined && known.keys !== lacking && ageMs < keptForMs
      return good || ageMs < askedAgainAfterMs ? known.answer : ask(issuer)
    },
  }
}

/** @throws Refusal `ProviderUnreachable` */
async function fetchKeys(fetch: Fetch, issuer: string): Promise<KeySet> {
  const unreachable = (reason: string) => refuse('ProviderUnreachable', { issuer, reason })

  async function document(url: URL, address: 'configured' | 'public'): Promise<Record<string, unknown>> {
    try {
      const { status, body } = await fetch(url, { ...limits, address })
      if (status !== 200) throw unreachable(`${url.pathname}: status ${status}`)
      return { ...JSON.parse(body.toString()) }
    } catch (error) {
      if (error instanceof FetchFailure) throw unreachable(`${url.pathname}: ${error.message}`)
      if (error instanceof SyntaxError) throw unreachable(`${url.pathname}: no JSON`)
      throw error
    }
  }

  const base = new URL(issuer)
  const configuration = await document(
    new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`),
    'configured',
  )
  if (configuration.issuer !== issuer) throw unreachable('it calls itself by another name')
  const { jwks_uri: location } = configuration
  if (typeof location !== 'string' || !URL.canParse(location)) throw unreachable('it names no address of keys')
  const url = new URL(location)
  // On its own host the provider is where it was configured to be; that it names another one is only its word.
  const { keys } = await document(url, url.host === base.host ? 'configured' : 'public')
  try {
    // What is no set of keys is refused here.
    return createLocalJWKSet({ keys } as JSONWebKeySet)
  } catch {
    throw unreachable('it publishes no set of keys')
  }
}
