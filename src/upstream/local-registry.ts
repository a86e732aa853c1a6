import type { Authorizer } from '#iam/authorize.ts'
import type { Principal } from '#iam/principal.ts'
import type { Clock } from '#lib/clock.ts'
import { repositoryArn } from '#names/arn.ts'
import { parseReference } from '#names/reference.ts'
import type { Registry } from '#names/registry.ts'
import { isRepositoryName } from '#names/repository-name.ts'
import type { Images } from '#registry/images.ts'
import type { LinkedBlobs } from '#registry/linked-blobs.ts'
import type { Puller } from '#registry/puller.ts'
import type { Referrer, Referrers } from '#registry/referrers.ts'
import type { RepositoryKey } from '#registry/repository.ts'
import { RemoteFailure, type RemoteRegistry } from '#remote/registry.ts'
import { cacheService, type FindCachePrincipal } from './cache-principal.ts'
import type { LeadsBackTo } from './cache-ring.ts'
import type { CacheRule } from './cache-rules.ts'
import { denial, presentOrMissing } from './local-failures.ts'
import { refuse } from './refusals.ts'

/**
 * Another registry of this deployment as an upstream. It is read within this process, and each read is authorized as a request of the
 * rule's principal would be. A pull by the cache counts upstream as a pull by that principal.
 *
 * @throws Refusal `UpstreamCredentialsUnusable` if the role cannot be assumed; its reads throw RemoteFailure `forbidden`
 */
export type ConnectLocal = (rule: CacheRule, upstream: Registry) => Promise<RemoteRegistry>

/** What reads a registry. */
export interface RegistryReads {
  readonly images: Pick<Images, 'pull' | 'head'>
  readonly linkedBlobs: Pick<LinkedBlobs, 'open'>
  readonly referrers: Referrers
}

export interface LocalRegistryParts {
  /** With the images of each registry's own upstreams. */
  readonly cached: RegistryReads
  /** What is stored. */
  readonly stored: RegistryReads
  readonly leadsBackTo: LeadsBackTo
  readonly findPrincipal: FindCachePrincipal
  readonly authorizer: Authorizer
  readonly clock: Clock
}

const referrersAtOnce = 100

/** What the role of a rule needs upstream (ECR user guide, "Setting up permissions for cross-account ECR to ECR PTC"). */
const manifestActions = ['ecr:BatchImportUpstreamImage', 'ecr:BatchGetImage'] as const
const blobActions = ['ecr:BatchImportUpstreamImage', 'ecr:GetDownloadUrlForLayer'] as const

export function createConnectLocal(parts: LocalRegistryParts): ConnectLocal {
  const { leadsBackTo, findPrincipal, authorizer, clock } = parts

  async function decide(principal: Principal, action: string, registry: Registry, resource: string) {
    const circumstances = { ...asService, region: registry.region, now: clock() }
    const { verdict } = await authorizer.decide({ principal, action, resource, registry, circumstances })
    return verdict
  }

  async function requireAllowed(principal: Principal, action: string, registry: Registry, resource: string) {
    const verdict = await decide(principal, action, registry, resource)
    if (!verdict.allowed) throw denial(action, resource, verdict)
  }

  return async (rule, upstream) => {
    const { registry, upstreamUrl } = rule
    const found = await findPrincipal(rule)
    if (found === undefined) {
      throw refuse('UpstreamCredentialsUnusable', { registry, upstreamUrl, reason: roleProblem })
    }
    const principal = found
    // A token is the principal's, and asked of its own account.
    const own = { account: principal.account, region: upstream.region }
    const logIn = () => requireAllowed(principal, 'ecr:GetAuthorizationToken', own, '*')

    /** Runs a read of a repository. `undefined` for a name that no repository can have. */
    async function read<T>(
      name: string,
      actions: readonly string[],
      work: (reads: RegistryReads, key: RepositoryKey, by: Puller) => Promise<T>,
    ): Promise<T | undefined> {
      if (!isRepositoryName(name)) return undefined
      await logIn()
      const key = { registry: upstream, name }
      const resource = repositoryArn(upstream, name)
      for (const action of actions) await requireAllowed(principal, action, upstream, resource)
      const by: Puller = {
        arn: principal.arn,
        identityArn: principal.identityArn,
        may: async (action) => (await decide(principal, action, upstream, resource)).allowed,
      }
      const reads = (await leadsBackTo(registry, key)) ? parts.stored : parts.cached
      return presentOrMissing(() => work(reads, key, by))
    }

    return {
      headManifest: (repository, reference) =>
        read(repository, manifestActions, ({ images }, key, by) => images.head(key, parseReference(reference), by)),

      getManifest: (repository, reference) =>
        read(repository, manifestActions, ({ images }, key, by) => images.pull(key, parseReference(reference), by)),

      async openBlob(repository, digest, { offset, signal }) {
        const reader = await read(repository, blobActions, ({ linkedBlobs }, key, by) =>
          linkedBlobs.open(key, digest, by),
        )
        return reader && { offset, sizeBytes: reader.sizeBytes, body: closing(reader, bodyOf(reader, offset, signal)) }
      },

      async listReferrers(repository, subject) {
        const found: Referrer[] = []
        for (let after: string | undefined; ; ) {
          const request = { status: 'ACTIVE', limit: referrersAtOnce, after } as const
          const page = await read(repository, manifestActions, ({ referrers }, key, by) =>
            referrers.list(key, subject, request, by),
          )
          found.push(...(page?.items ?? []))
          if (page?.next === undefined) return found.map(descriptorOf)
          after = page.next
        }
      },

      check: logIn,
    }
  }
}

/** Of a request that a service of this program makes. */
const asService = { sourceIp: '127.0.0.1', secure: true, userAgent: 'ecr.amazonaws.com' } as const

const roleProblem =
  `the role of the rule does not exist, or its trust policy does not allow ${cacheService} to assume it` as const

type BlobReader = Awaited<ReturnType<LinkedBlobs['open']>>

/** A generator that has not begun runs nothing when it is ended, so that the reader would stay open. */
function closing(reader: BlobReader, body: AsyncGenerator<Uint8Array, void, void>): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => body.next(),
      async return() {
        await reader.close()
        return body.return()
      },
    }),
  }
}

async function* bodyOf(reader: BlobReader, offset: number, signal: AbortSignal | undefined) {
  try {
    const start = Math.min(offset, reader.sizeBytes)
    for await (const chunk of reader.chunks({ start, end: reader.sizeBytes })) {
      signal?.throwIfAborted()
      yield chunk
    }
  } catch (error) {
    if (signal?.aborted) throw error
    throw new RemoteFailure('unreachable', 'Its content cannot be read now', { cause: error })
  } finally {
    await reader.close()
  }
}

function descriptorOf({ mediaType, digest, sizeBytes, artifactType, annotations }: Referrer) {
  return {
    ...{ mediaType, digest, size: sizeBytes },
    ...(artifactType !== undefined && { artifactType }),
    ...(annotations !== undefined && { annotations }),
  }
}
