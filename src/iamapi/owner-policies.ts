import type { Handlers, ResourceRequest } from '#aws/operation.ts'
import type { OwnerRef, Owners } from '#iam/identities/owners.ts'
import type { Attachments } from '#iam/policies/attachments.ts'
import type { InlinePolicies } from '#iam/policies/inline.ts'
import type { Principal } from '#iam/principal.ts'
import { policyArn } from './arns.ts'
import { policyConditions } from './conditions.ts'
import type { Operations } from './model.ts'
import { openPage } from './paging.ts'
import { encodeDocument } from './shapes.ts'

export interface OwnerPolicyParts {
  readonly owners: Owners
  readonly inline: InlinePolicies
  readonly attachments: Attachments
}

/** The inline and the attached policies of users, groups and roles: the same operations, but for how they name whose. */
export function ownerPolicyOperations(parts: OwnerPolicyParts) {
  const user = policiesOf(parts, 'user', (input: { readonly UserName: string }) => input.UserName)
  const group = policiesOf(parts, 'group', (input: { readonly GroupName: string }) => input.GroupName)
  const role = policiesOf(parts, 'role', (input: { readonly RoleName: string }) => input.RoleName)
  return {
    PutUserPolicy: user.put,
    GetUserPolicy: {
      ...user.get,
      handle: async (request) => ({ UserName: request.input.UserName, ...(await user.get.handle(request)) }),
    },
    ListUserPolicies: user.list,
    DeleteUserPolicy: user.delete,
    AttachUserPolicy: user.attach,
    DetachUserPolicy: user.detach,
    ListAttachedUserPolicies: user.listAttached,

    PutGroupPolicy: group.put,
    GetGroupPolicy: {
      ...group.get,
      handle: async (request) => ({ GroupName: request.input.GroupName, ...(await group.get.handle(request)) }),
    },
    ListGroupPolicies: group.list,
    DeleteGroupPolicy: group.delete,
    AttachGroupPolicy: group.attach,
    DetachGroupPolicy: group.detach,
    ListAttachedGroupPolicies: group.listAttached,

    PutRolePolicy: role.put,
    GetRolePolicy: {
      ...role.get,
      handle: async (request) => ({ RoleName: request.input.RoleName, ...(await role.get.handle(request)) }),
    },
    ListRolePolicies: role.list,
    DeleteRolePolicy: role.delete,
    AttachRolePolicy: role.attach,
    DetachRolePolicy: role.detach,
    ListAttachedRolePolicies: role.listAttached,
  } satisfies Partial<Handlers<Operations>>
}

interface Request<Input> {
  readonly input: Input
  readonly principal: Principal
}

interface Paged {
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

function policiesOf<Named>(
  { owners, inline, attachments }: OwnerPolicyParts,
  kind: OwnerRef['kind'],
  nameOf: (input: Named) => string,
) {
  const ownerOf = ({ input, principal }: Request<Named>): OwnerRef => ({
    ...{ account: principal.account, kind, name: nameOf(input) },
  })
  const resource = (request: ResourceRequest<Named>) => owners.arnOf(ownerOf(request))
  return {
    put: {
      resource,
      handle: async (request: Request<Named & { readonly PolicyName: string; readonly PolicyDocument: string }>) => {
        await inline.put(ownerOf(request), request.input.PolicyName, request.input.PolicyDocument)
        return {}
      },
    },
    get: {
      resource,
      handle: async (request: Request<Named & { readonly PolicyName: string }>) => {
        const { PolicyName } = request.input
        return { PolicyName, PolicyDocument: encodeDocument(await inline.get(ownerOf(request), PolicyName)) }
      },
    },
    list: {
      resource,
      handle: async (request: Request<Named & Paged>) => {
        const owner = ownerOf(request)
        const page = openPage(request.input, ['inline policies', owner])
        const { items, next } = await inline.list(owner, { limit: page.limit, after: page.after?.[0] })
        return { PolicyNames: items, ...page.next(next === undefined ? undefined : [next]) }
      },
    },
    delete: {
      resource,
      handle: async (request: Request<Named & { readonly PolicyName: string }>) => {
        await inline.delete(ownerOf(request), request.input.PolicyName)
        return {}
      },
    },
    attach: {
      resource,
      conditions: policyConditions,
      handle: async (request: Request<Named & { readonly PolicyArn: string }>) => {
        await attachments.attach(ownerOf(request), policyArn(request))
        return {}
      },
    },
    detach: {
      resource,
      conditions: policyConditions,
      handle: async (request: Request<Named & { readonly PolicyArn: string }>) => {
        await attachments.detach(ownerOf(request), policyArn(request))
        return {}
      },
    },
    listAttached: {
      resource,
      handle: async (request: Request<Named & Paged & { readonly PathPrefix?: string | undefined }>) => {
        const owner = ownerOf(request)
        const { PathPrefix: pathPrefix = '/' } = request.input
        const page = openPage(request.input, ['attached policies', owner, pathPrefix])
        const { items, next } = await attachments.list(owner, { pathPrefix, limit: page.limit, after: page.after?.[0] })
        const attached = items.map(({ arn, name }) => ({ PolicyArn: arn, PolicyName: name }))
        return { AttachedPolicies: attached, ...page.next(next === undefined ? undefined : [next]) }
      },
    },
  }
}
