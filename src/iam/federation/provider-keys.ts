import { setTimeout as delay } from 'node:timers/promises'
import { createLocalJWKSet, type JSONWebKeySet } from 'jose'
import { BoundedMap } from '#lib/bounded-map.ts'
import type { Clock } from '#lib/clock.ts'
import { type Fetch, type Fetched, FetchFailure, type FetchOptions } from '#lib/fetch.ts'
import { Lanes } from '#lib/lanes.ts'
import type { AccountId } from '#names/account.ts'
import { refuse } from './refusals.ts'

/**
 * The keys that identity providers sign with, as each publishes them (OpenID Connect Discovery 1.0, section 4). Anybody may ask
 * for a token to be verified, so what is asked of a provider does not grow with how often that happens: its keys are kept, an
 * answer is shared by all who wait for it, and nothing is asked again before thirty seconds are over, whatever came of it.
 */
export interface ProviderKeys {
  /**
   * Of the provider with that URL, `https://…`, for that account. Another set than `lacking`, in which a key was missing, if it may be
   * asked again.
   *
   * @throws Refusal `ProviderUnreachable`
   */
  get(account: AccountId, issuer: string, lacking?: KeySet): Promise<KeySet>
}

export type KeySet = ReturnType<typeof createLocalJWKSet>

const keptProviders = 100
/** A key that its provider withdraws is good for so long. */
const keptForMs = 10 * 60_000
const askedAgainAfterMs = 30_000
/** One account's providers that are asked at once, each by a connection. Further ones wait. */
const askedAtOnce = 20
const maxBytes = 256 * 1024
/** For both documents together; a failure is answered only then. */
const defaultDeadlineMs = 5_000

export interface ProviderKeysParts {
  readonly fetch: Fetch
  readonly clock: Clock
  /** Whether a provider may have a private address. */
  readonly privateHosts: boolean
  /** The reason is for the operator alone. */
  readonly onUnreachable: (issuer: string, reason: string) => void
  readonly deadlineMs?: number
}

interface Asked {
  readonly at: number
  readonly answer: Promise<KeySet>
  /** What came; undefined while nothing has, and when nothing did. */
  keys: KeySet | undefined
}

export function createProviderKeys(parts: ProviderKeysParts): ProviderKeys {
  const { fetch, clock, privateHosts, onUnreachable, deadlineMs = defaultDeadlineMs } = parts
  const asked = new BoundedMap<string, Asked>(keptProviders)
  const turns = new Lanes(askedAtOnce)
  const own = privateHosts ? 'configured' : 'public'

  /**
   * An account's administrator chooses the host. A failure must not say whether a host is there or what listens on it, so each
   * takes the same time and has the same facts. @throws Refusal `ProviderUnreachable`
   */
  async function fetchOrFailLate(account: AccountId, issuer: string): Promise<KeySet> {
    const startedAt = performance.now()
    const remainingMs = () => Math.max(0, deadlineMs - (performance.now() - startedAt))
    try {
      return await fetchKeys(issuer, own, (url, address) =>
        fetch(url, { maxBytes, address, party: account, deadlineMs: Math.ceil(remainingMs()) }),
      )
    } catch (error) {
      if (!(error instanceof ProviderFailure)) throw error
      onUnreachable(issuer, error.message)
      await delay(remainingMs())
      throw refuse('ProviderUnreachable', { issuer })
    }
  }

  function ask(account: AccountId, issuer: string): Promise<KeySet> {
    const entry: Asked = { at: clock(), answer: fetchOrFailLate(account, issuer), keys: undefined }
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

  /** What may be answered without asking the provider. */
  function known(issuer: string, lacking: KeySet | undefined): Promise<KeySet> | undefined {
    const entry = asked.get(issuer)
    if (entry === undefined) return undefined
    const ageMs = Math.abs(clock() - entry.at)
    const good = entry.keys !== undefined && entry.keys !== lacking && ageMs < keptForMs
    return good || ageMs < askedAgainAfterMs ? entry.answer : undefined
  }

  /** A failure is not remembered: another account has turns of its own. @throws Refusal `ProviderUnreachable` */
  async function waitForTurn(account: AccountId, issuer: string): Promise<() => void> {
    const signal = AbortSignal.timeout(deadlineMs)
    try {
      return await turns.enter(account, signal)
    } catch (error) {
      if (!signal.aborted) throw error
      onUnreachable(issuer, 'too many providers of its account are asked at once')
      throw refuse('ProviderUnreachable', { issuer })
    }
  }

  return {
    async get(account, issuer, lacking) {
      const before = known(issuer, lacking)
      if (before !== undefined) return before
      const leave = await waitForTurn(account, issuer)
      let meanwhile: Promise<KeySet> | undefined
      try {
        meanwhile = known(issuer, lacking)
        if (meanwhile === undefined) return await ask(account, issuer)
      } finally {
        leave()
      }
      // Another request asked for it, and holds a turn.
      return meanwhile
    },
  }
}

/** What is wrong with a provider. The message holds nothing that the provider sent. */
class ProviderFailure extends Error {
  override readonly name = 'ProviderFailure'
}

type AddressKind = FetchOptions['address']

/** @throws ProviderFailure */
async function fetchKeys(
  issuer: string,
  own: AddressKind,
  get: (url: URL, address: AddressKind) => Promise<Fetched>,
): Promise<KeySet> {
  async function document(url: URL, address: AddressKind): Promise<Record<string, unknown>> {
    try {
      const { status, body } = await get(url, address)
      if (status !== 200) throw new ProviderFailure(`${url.pathname}: status ${status}`)
      return { ...JSON.parse(body.toString()) }
    } catch (error) {
      if (error instanceof FetchFailure) throw new ProviderFailure(`${url.pathname}: ${error.message}`)
      if (error instanceof SyntaxError) throw new ProviderFailure(`${url.pathname}: no JSON`)
      throw error
    }
  }

  const base = new URL(issuer)
  const configuration = await document(new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`), own)
  if (configuration.issuer !== issuer) throw new ProviderFailure('it calls itself by another name')
  const { jwks_uri: location } = configuration
  if (typeof location !== 'string' || !URL.canParse(location)) throw new ProviderFailure('it names no address of keys')
  const url = new URL(location)
  // On its own host the provider is where it was configured to be. That it names another host is only its word.
  const { keys } = await document(url, url.host === base.host ? own : 'public')
  try {
    // `createLocalJWKSet` checks the shape of the set.
    return createLocalJWKSet({ keys } as JSONWebKeySet)
  } catch {
    throw new ProviderFailure('it publishes no set of keys')
  }
}
