// Registries that an operator named as peers. Their addresses count as written: they may be private, and speak plain HTTP.

import { randomBytes } from 'node:crypto'
import { BoundedMap } from '#lib/bounded-map.ts'
import { createAuthorize, mostChallenges } from './authorization.ts'
import { type EcrParts, fetchCallerAccount, withSession } from './aws-calls.ts'
import type { Challenge } from './challenge.ts'
import { createClient } from './client.ts'
import { fetchEcrToken } from './ecr.ts'
import { createEcrCalls } from './ecr-calls.ts'
import { inspectManifest } from './manifests.ts'
import { createPeerHosts } from './peer-hosts.ts'
import { createPush } from './push.ts'
import { createSend } from './redirects.ts'
import { type EcrCalls, type EcrCredentials, type PeerRemotes, RemoteFailure, type RemotePush } from './registry.ts'
import { namedAs, processCredentials, type RemotesParts, toRegistry } from './remotes.ts'
import { createRoleSessions } from './role-sessions.ts'
import { createTokenCache } from './token-cache.ts'
import { createTransport, type Transport } from './transport.ts'

export type PeerRemotesParts = Omit<RemotesParts, 'hosts' | 'isKnown'>

export function createPeerRemotes(parts: PeerRemotesParts): PeerRemotes & AsyncDisposable {
  const { clock, tokens = createTokenCache(clock), keySecret = randomBytes(32) } = parts
  const { certificates = [], silenceMs = defaultSilenceMs, proxies, lookUp } = parts
  const challenges = new BoundedMap<string, Challenge>(mostChallenges)
  const credentials = parts.awsCredentials ?? processCredentials()
  const sessions = createRoleSessions(clock)
  /** One for each set of certificates. */
  const transports = new Map<string, Transport>()

  function transportFor(own: readonly string[]): Transport {
    const key = own.join('\n')
    const found = transports.get(key)
    if (found !== undefined) return found
    const trusted = [...certificates, ...own]
    const made = createTransport({ certificates: trusted, silenceMs, proxies, ...(lookUp && { lookUp }) })
    transports.set(key, made)
    return made
  }

  return {
    connect(peer, hooks = {}) {
      const hosts = createPeerHosts(peer)
      const send = createSend(hosts, transportFor(peer.certificates ?? []))
      const endpoint = hosts.isStandIn ? hosts.base : undefined
      const ecr: EcrParts = { send, clock, credentials, endpoint, sessions }
      const authorize = createAuthorize(hosts.base, peer.credentials, {
        ...{ send, tokens, clock, keySecret, challenges },
        async fetchEcrToken(own) {
          if (peer.sourceAccount !== undefined) await requireAccount(own, ecr, peer.sourceAccount)
          return fetchEcrToken(own, ecr, { registryIds: [own.account] })
        },
      })
      const client = createClient({ base: hosts.base, send, authorize, clock, hooks, headers: peer.headers ?? {} })
      const { host } = hosts.base
      return {
        ...toRegistry(host, hosts.base, client),
        inspectManifest: (...asked) => namedAs(host, () => inspectManifest(client, ...asked)),
        ...namedPush(host, createPush({ client, admitLocation: hosts.admitLocation, silenceMs })),
        ecr: peer.credentials.kind === 'ecr' ? namedCalls(host, createEcrCalls(peer.credentials, ecr)) : undefined,
      }
    },

    async [Symbol.asyncDispose]() {
      await Promise.all([...transports.values()].map((transport) => transport[Symbol.asyncDispose]()))
    },
  }
}

/** Another Lading replicates in the name of the account that the key is of. @throws RemoteFailure `forbidden` */
async function requireAccount(own: EcrCredentials, ecr: EcrParts, source: string): Promise<void> {
  const account = await withSession(own, ecr, () => fetchCallerAccount(own, ecr))
  if (account === source) return
  const key = own.roleArn === undefined ? 'key' : 'role'
  throw new RemoteFailure(
    'forbidden',
    `the ${key} is one of account ${account}, and replicates no images of account ${source}`,
  )
}

const defaultSilenceMs = 30_000

function namedPush(host: string, push: RemotePush): RemotePush {
  return {
    hasBlob: (...asked) => namedAs(host, () => push.hasBlob(...asked)),
    startUpload: (...asked) => namedAs(host, () => push.startUpload(...asked)),
    findUpload: (...asked) => namedAs(host, () => push.findUpload(...asked)),
    append: (...asked) => namedAs(host, () => push.append(...asked)),
    finish: (...asked) => namedAs(host, () => push.finish(...asked)),
    putManifest: (...asked) => namedAs(host, () => push.putManifest(...asked)),
  }
}

function namedCalls(host: string, calls: EcrCalls): EcrCalls {
  return {
    createRepository: (...asked) => namedAs(host, () => calls.createRepository(...asked)),
    putImage: (...asked) => namedAs(host, () => calls.putImage(...asked)),
  }
}

/** Where Amazon ECR has a registry (ECR user guide, "Private registries"). */
export function ecrUrl({ account, region }: { readonly account: string; readonly region: string }): string {
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
  return `https://${account}.dkr.ecr.${region}.${domain}`
}
