import type { AccessRequest, ResourceSide } from '#iam/authorize.ts'
import type { Conditions } from '#iam/circumstances.ts'
import type { Reader } from '#metadata/metadata.ts'
import { nameKey } from './owners.ts'
import type { Tags } from './tags.ts'

/**
 * What users, roles, managed policies and identity providers say of who may act on them: they have no policies for that, but
 * tags and boundaries that policies ask about. Without them a denial that spares what has no such tag would spare everything.
 */
export type FindIdentitySide = (request: Pick<AccessRequest, 'action' | 'resource'>) => Promise<ResourceSide>

export function isIamResource(resource: string): boolean {
  return resource.startsWith('arn:aws:iam:')
}

export function createIdentitySide({ reader }: { readonly reader: Reader }): FindIdentitySide {
  return async ({ action, resource }) => {
    // Is about what is not there yet: that something has the name already, and what tags, is not told.
    const found = creation.test(action) ? undefined : await find(reader, resource)
    if (found === undefined) return { policies: [], tags: {} }
    const { tags, boundary_arn: boundaryArn } = found
    return { policies: [], tags: JSON.parse(tags) as Tags, conditions: boundaryConditions(action, boundaryArn) }
  }
}

const creation = /^iam:Create(?:User|Role|Policy|OpenIDConnectProvider)$/

interface Found {
  readonly tags: string
  readonly boundary_arn: string | null
}

const arnPattern = /^arn:aws:iam::(\d{12}):(user|role|policy|oidc-provider)(\/.+)$/

async function find(reader: Reader, arn: string): Promise<Found | undefined> {
  const [, account = '', kind, resource = ''] = arnPattern.exec(arn) ?? []
  switch (kind) {
    case 'user':
    case 'role': {
      const afterPath = resource.lastIndexOf('/') + 1
      // The two tables have these columns alike.
      const table = (kind === 'user' ? 'iam_user' : 'iam_role') as 'iam_user'
      return reader
        .selectFrom(table)
        .select(['tags', 'boundary_arn'])
        .where('account', '=', account)
        .where('name_key', '=', nameKey(resource.slice(afterPath)))
        .where('path', '=', resource.slice(0, afterPath))
        .executeTakeFirst()
    }
    case 'policy':
    case 'oidc-provider': {
      const table = (kind === 'policy' ? 'managed_policy' : 'oidc_provider') as 'managed_policy'
      const row = await reader.selectFrom(table).select('tags').where('arn', '=', arn).executeTakeFirst()
      return row && { ...row, boundary_arn: null }
    }
    default:
      return undefined
  }
}

/**
 * Whoever changes what a user or a role may do may be told to do so only to those that are bounded (Service Authorization
 * Reference, AWS IAM, `iam:PermissionsBoundary`). Where an operation itself gives a boundary, that is the one that counts.
 */
const bounded = /^iam:(?:(?:Attach|Detach|Put|Delete)(?:User|Role)Policy|Delete(?:User|Role)PermissionsBoundary)$/

function boundaryConditions(action: string, boundaryArn: string | null): Conditions {
  return boundaryArn !== null && bounded.test(action) ? [['iam:PermissionsBoundary', boundaryArn]] : []
}
