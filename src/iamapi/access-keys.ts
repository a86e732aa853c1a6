import type { Handlers } from '#aws/operation.ts'
import type { Owners } from '#iam/identities/owners.ts'
import type { KeyOwner, ManagedKeys } from '#iam/keys/access-keys.ts'
import type { Principal } from '#iam/principal.ts'
import { rootArn } from '#names/arn.ts'
import { rootName, userMeant, userMeantArn } from './callers.ts'
import type { Operations } from './model.ts'
import { openPage } from './paging.ts'
import { refuse } from './refusals.ts'

export interface AccessKeyParts {
  readonly keys: ManagedKeys
  readonly owners: Owners
}

/** The access keys of users, and of the root where it names nobody. */
export function accessKeyOperations({ keys, owners }: AccessKeyParts) {
  const resource = userMeantArn(owners)
  return {
    CreateAccessKey: {
      resource,
      handle: async ({ input, principal }) => {
        const owner = ownerOf(input, principal)
        const { id, secret, status, createdAt } = await keys.create(owner)
        const key = { AccessKeyId: id, SecretAccessKey: secret, Status: status, CreateDate: new Date(createdAt) }
        return { AccessKey: { UserName: owner.user ?? rootName, ...key } }
      },
    },

    ListAccessKeys: {
      resource,
      handle: async ({ input, principal }) => {
        const owner = ownerOf(input, principal)
        const page = openPage(input, ['ListAccessKeys', owner])
        const { items, next } = await keys.list(owner, { limit: page.limit, after: page.after?.[0] })
        const metadata = items.map(({ id, status, createdAt }) => ({
          ...{ UserName: owner.user, AccessKeyId: id, Status: status, CreateDate: new Date(createdAt) },
        }))
        return { AccessKeyMetadata: metadata, ...page.next(next === undefined ? undefined : [next]) }
      },
    },

    UpdateAccessKey: {
      resource,
      handle: async ({ input, principal }) => {
        const { AccessKeyId: id, Status: status } = input
        if (status === 'Expired') throw refuse('KeyStatusInvalid', { status })
        await keys.setStatus(ownerOf(input, principal), id, status)
        return {}
      },
    },

    DeleteAccessKey: {
      resource,
      handle: async ({ input, principal }) => {
        await keys.delete(ownerOf(input, principal), input.AccessKeyId)
        return {}
      },
    },

    GetAccessKeyLastUsed: {
      resource: async ({ input, principal }) => {
        const { account } = principal
        const use = await keys.findUse(account, input.AccessKeyId)
        // To who may not know, a key that is not there is one that may not be known.
        if (use === undefined) throw refuse('KeyHidden', { principalArn: principal.arn, key: input.AccessKeyId })
        return use.user === undefined ? rootArn(account) : owners.arnOf({ account, kind: 'user', name: use.user })
      },
      handle: async ({ input, principal }) => {
        const use = await keys.findUse(principal.account, input.AccessKeyId)
        if (use === undefined) throw refuse('KeyHidden', { principalArn: principal.arn, key: input.AccessKeyId })
        const { user, last } = use
        return {
          UserName: user,
          AccessKeyLastUsed:
            last === undefined
              ? { ServiceName: 'N/A', Region: 'N/A' }
              : { LastUsedDate: new Date(last.at), ServiceName: last.service, Region: last.region },
        }
      },
    },
  } satisfies Partial<Handlers<Operations>>
}

function ownerOf(input: { readonly UserName?: string | undefined }, principal: Principal): KeyOwner {
  return { account: principal.account, user: userMeant(input, principal) }
}
