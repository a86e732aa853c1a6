import type { Exceptions } from '#aws/exceptions.ts'
import type { RegistryRefusals } from '#registry/refusals.ts'
import { registryTexts } from '#wording/registry.ts'
import { accessExceptions } from './errors/access.ts'
import { eventPatternExceptions } from './errors/event-patterns.ts'
import { inUseExceptions } from './errors/in-use.ts'
import { invalid } from './errors/invalid.ts'
import { lifecycleExceptions } from './errors/lifecycle.ts'
import { pullThroughExceptions } from './errors/pull-through.ts'
import { recycleBinExceptions } from './errors/recycle-bin.ts'
import { replicationExceptions } from './errors/replication.ts'
import { tagExceptions } from './errors/tags.ts'
import { webhookExceptions } from './errors/webhooks.ts'
import type { ErrorName } from './model.ts'
import type { ListingRefusals } from './refusals.ts'

/** What operations of every topic refuse. */
type Refusals = Pick<RegistryRefusals, 'RepositoryNotFound'> & ListingRefusals

const sharedExceptions: Exceptions<Refusals, ErrorName> = {
  RepositoryNotFound: ['RepositoryNotFoundException', registryTexts.RepositoryNotFound],
  PageTokenInvalid: ['InvalidParameterException', () => invalid('NextToken', 'Invalid next token provided')],
}

/** Every refusal that reaches this surface, a file for each topic. */
export const exceptions = {
  ...sharedExceptions,
  ...accessExceptions,
  ...lifecycleExceptions,
  ...inUseExceptions,
  ...recycleBinExceptions,
  ...tagExceptions,
  ...pullThroughExceptions,
  ...webhookExceptions,
  ...eventPatternExceptions,
  ...replicationExceptions,
}
