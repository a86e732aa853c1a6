import { randomBytes } from 'node:crypto'
import { BoundedMap } from '#lib/bounded-map.ts'
import type { Clock } from '#lib/clock.ts'
import { createAuthorize, mostChallenges } from './authorization.ts'
import type { AwsCredentials } from './aws-calls.ts'
import { openBlob } from './blobs.ts'
import type { Challenge } from './challenge.ts'
import { type Client, createClient } from './client.ts'
import { fetchEcrToken } from './ecr.ts'
import { named } from './failures.ts'
import { createHostRules, type ListedHosts } from './hosts.ts'
import { getManifest, headManifest } from './manifests.ts'
import { createSend } from './redirects.ts'
import { listReferrers } from './referrers.ts'
import { type RemoteBlob, RemoteFailure, type RemoteRegistry, type Remotes, type TokenCache } from './registry.ts'
import { createRoleSessions } from './role-sessions.ts'
import { createTokenCache } from './token-cache.ts'
import { createTransport, type TransportOptions } from './transport.ts'

export interface RemotesParts extends Partial<TransportOptions> {
  /** `LADING_UPSTREAMS`. */
  readonly hosts: ListedHosts
  /** Whether a host is one of the registries that ECR knows. */
  readonly isKnown: (host: string) => boolean
  readonly clock: Clock
  /** In the memory of this process by default. */
  readonly tokens?: TokenCache
  /** Keeps credentials out of the keys of tokens. Processes that share tokens share it. */
  readonly keySecret?: Buffer
  /** Of this process, found as AWS's own programs find them, by default. */
  readonly awsCredentials?: () => Promise<AwsCredentials>
}

export function createRemotes(parts: RemotesParts): Remotes & AsyncDisposable {
  const { hosts, isKnown, clock, tokens = createTokenCache(clock), keySecret = randomBytes(32) } = parts
  const { certificates = [], silenceMs = defaultSilenceMs, proxies, lookUp } = parts
  const rules = createHostRules(hosts, isKnown)
  const transport = createTransport({ certificates, silenceMs, proxies, ...(lookUp && { lookUp }) })
  const send = createSend(rules, transport)
  const challenges = new BoundedMap<string, Challenge>(mostChallenges)
  const credentials = parts.awsCredentials ?? processCredentials()
  const sessions = createRoleSessions(clock)

  return {
    mayReach: (host) => rules.mayReach(host),
    isListed: (host) => rules.isListed(host),
    connect(host, own, hooks = {}) {
      const base = rules.baseOf(host)
      const endpoint = rules.isMapped(host) ? base : undefined
      const authorize = createAuthorize(base, own, {
        ...{ send, tokens, clock, keySecret, challenges },
        fetchEcrToken: (ecr) => fetchEcrToken(ecr, { send, clock, credentials, endpoint, sessions }),
      })
      return toRegistry(host, base, createClient({ base, send, authorize, clock, hooks }))
    },
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  }
}

const defaultSilenceMs = 30_000

/** Each failure begins with the registry's name. */
export function toRegistry(host: string, base: URL, client: Client): RemoteRegistry {
  const asHost = <Value>(action: () => Promise<Value>) => namedAs(host, action)
  return {
    headManifest: (...asked) => asHost(() => headManifest(client, ...asked)),
    getManifest: (...asked) => asHost(() => getManifest(client, ...asked)),
    listReferrers: (...asked) => asHost(() => listReferrers(client, ...asked)),
    openBlob: (...asked) =>
      asHost(async () => {
        const blob = await openBlob(client, ...asked)
        return blob && { ...blob, body: namedBody(host, blob.body) }
      }),
    check: ({ signal } = {}) => asHost(() => check(client, base, signal)),
  }
}

/** Each failure of `action` begins with the registry's name. */
export async function namedAs<Value>(host: string, action: () => Promise<Value>): Promise<Value> {
  try {
    return await action()
  } catch (error) {
    throw named(host, error)
  }
}

async function check(client: Client, base: URL, signal: AbortSignal | undefined): Promise<void> {
  const url = new URL(`${base.pathname.replace(/\/v2(?:\/.*)?$|\/+$/, '')}/v2/`, base)
  const answer = await client.ask({ method: 'GET', url, repository: undefined, headers: {}, signal })
  await answer.discard()
  if (!answer.atOrigin) throw new RemoteFailure('invalid', 'it redirects to another server')
}

async function* namedBody(host: string, body: RemoteBlob['body']): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* body
  } catch (error) {
    throw named(host, error)
  }
}

/** Loaded when it is needed first: it is large, and few deployments cache from ECR. */
export function processCredentials(): () => Promise<AwsCredentials> {
  let provider: (() => Promise<AwsCredentials>) | undefined
  return async () => {
    const { defaultProvider } = await import('@aws-sdk/credential-provider-node')
    provider ??= defaultProvider()
    return provider()
  }
}
