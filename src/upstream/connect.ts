import {
  type RemoteCredentials,
  RemoteFailure,
  type RemoteRateLimit,
  type RemoteRegistry,
  type Remotes,
} from '#remote/registry.ts'
import type { FindSecretValue, SecretFailure } from '#secrets/upstream-credentials.ts'
import type { Budgets } from './budget.ts'
import type { CacheRule } from './cache-rules.ts'
import type { ConnectLocal } from './local-registry.ts'
import { refuse } from './refusals.ts'
import { ecrRegistryAt, type UpstreamHosts } from './upstreams.ts'
import { type RequestResult, watched } from './watched-remote.ts'

/** The registry that a rule names, with the credentials that the rule names. @throws RemoteFailure, Refusal `UpstreamCredentialsUnusable` */
export type Connect = (rule: CacheRule) => Promise<RemoteRegistry>

export interface ConnectParts {
  readonly remotes: Remotes
  readonly hosts: UpstreamHosts
  readonly findSecretValue: FindSecretValue
  readonly budgets: Budgets
  readonly connectLocal: ConnectLocal
  /** Hears how each request to an upstream ended. */
  readonly onRequest: (rule: CacheRule, result: RequestResult) => void
  readonly onLimit: (rule: CacheRule, limit: RemoteRateLimit) => void
}

export function createConnect(parts: ConnectParts): Connect {
  const { remotes, hosts, findSecretValue, budgets, connectLocal, onRequest, onLimit } = parts

  async function credentialsOf(rule: CacheRule): Promise<RemoteCredentials> {
    const { registry, upstreamUrl, credentialArn, customRoleArn } = rule
    if (credentialArn !== undefined) {
      const secret = await findSecretValue(registry, credentialArn)
      if ('failure' in secret) {
        throw refuse('UpstreamCredentialsUnusable', { registry, upstreamUrl, reason: secretProblems[secret.failure] })
      }
      return { kind: 'basic', username: secret.username, password: secret.accessToken }
    }
    const ecr = ecrRegistryAt(upstreamUrl, hosts)
    if (ecr === undefined) return { kind: 'none' }
    return { kind: 'ecr', ...ecr, ...(customRoleArn !== undefined && { roleArn: customRoleArn }) }
  }

  async function connect(rule: CacheRule): Promise<RemoteRegistry> {
    const own = hosts.areForbidden ? undefined : hosts.ownRegistryAt(rule.upstreamUrl)
    if (own !== undefined) return connectLocal(rule, own)
    if (!remotes.mayReach(rule.upstreamUrl)) {
      throw new RemoteFailure('blocked', 'The operator of this registry does not allow this upstream registry')
    }
    const onRateLimit = (limit: RemoteRateLimit) => {
      budgets.record(rule, limit)
      onLimit(rule, limit)
    }
    return remotes.connect(rule.upstreamUrl, await credentialsOf(rule), { onRateLimit })
  }

  return async (rule) => watched(await connect(rule), (result) => onRequest(rule, result))
}

const secretProblems = {
  'not found': 'the secret is not there, or is scheduled for deletion',
  'not decryptable': 'the secret cannot be decrypted',
  'not usable': 'the secret does not hold the texts username and accessToken in JSON',
} as const satisfies Record<SecretFailure, string>
