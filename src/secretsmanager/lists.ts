import type { Handlers } from '#aws/operation.ts'
import { parsePageToken, printPageToken } from '#lib/page.ts'
import type { FilterKey, SecretFilter } from '#secrets/filters.ts'
import type { ListingKey, ListSecrets, SecretOrder } from '#secrets/listing.ts'
import type { SecretValues } from '#secrets/secret-values.ts'
import type { Secrets } from '#secrets/secrets.ts'
import type { Filter, ListSecretsRequest, Operations, SortByType } from './model.ts'
import { refuse } from './refusals.ts'
import { aboutSecret, authorizedArn, conditionsOf } from './request.ts'
import { describeListed, describeVersion } from './shapes.ts'

/** Lists of secrets and of versions. */
export interface ListingParts {
  readonly secrets: Secrets
  readonly secretValues: SecretValues
  readonly listSecrets: ListSecrets
}

/** Imposed by Secrets Manager (API reference, ListSecrets). */
const usualLimit = 100

export function listingOperations({ secrets, secretValues, listSecrets }: ListingParts) {
  return {
    ListSecrets: {
      resource: () => '*',
      handle: async ({ input, registry }) => {
        const { NextToken, MaxResults: limit = usualLimit, ...query } = input
        const scope = ['ListSecrets', registry, query]
        const { sortBy, ...order } = orderOf(input)
        const page = await listSecrets(registry, {
          ...{ ...order, sortBy, limit, filters: filtersOf(input.Filters ?? []) },
          scheduled: input.IncludePlannedDeletion ?? false,
          after: NextToken === undefined ? undefined : listingKey(sortBy, readToken(scope, NextToken, 2)),
        })
        const { next } = page
        return {
          SecretList: page.items.map(describeListed),
          NextToken: next && printPageToken(scope, [String(next.value), next.name]),
        }
      },
    },

    ListSecretVersionIds: {
      ...{ ...aboutSecret(secrets), conditions: conditionsOf },
      handle: async (request) => {
        const { NextToken, MaxResults: limit = usualLimit, IncludeDeprecated: unlabelled = false } = request.input
        const arn = authorizedArn(request)
        const scope = ['ListSecretVersionIds', arn, unlabelled]
        const after = NextToken === undefined ? undefined : readToken(scope, NextToken, 1)[0]
        const { secret, items, next } = await secretValues.list(request.registry, arn, { limit, after, unlabelled })
        return {
          ARN: secret.arn,
          Name: secret.name,
          Versions: items.map((version) => describeVersion(version, secret.kmsKey)),
          NextToken: next === undefined ? undefined : printPageToken(scope, [next]),
        }
      },
    },
  } satisfies Partial<Handlers<Operations>>
}

const orders: Readonly<Record<SortByType, SecretOrder>> = {
  'created-date': 'createdAt',
  'last-accessed-date': 'accessedAt',
  'last-changed-date': 'changedAt',
  name: 'name',
}

/** The newest come first unless the caller says otherwise. */
function orderOf({ SortBy = 'created-date', SortOrder }: ListSecretsRequest) {
  const descending = SortOrder === undefined ? SortBy !== 'name' : SortOrder === 'desc'
  return { sortBy: orders[SortBy], descending }
}

function filtersOf(filters: readonly Filter[]): SecretFilter[] {
  return filters.map(({ Key = 'all', Values = [] }) => ({ key: Key satisfies FilterKey, values: Values }))
}

/** @throws Refusal `NextTokenInvalid` */
function readToken(scope: readonly unknown[], token: string, length: number): string[] {
  const key = parsePageToken(scope, token, length)
  if (key === undefined) throw refuse('NextTokenInvalid', {})
  return key
}

function listingKey(sortBy: SecretOrder, [value = '', name = '']: readonly string[]): ListingKey {
  return { value: sortBy === 'name' ? value : Number(value), name }
}
