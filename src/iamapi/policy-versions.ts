import type { Handlers } from '#aws/operation.ts'
import { refuseEntity } from '#iam/entity-refusals.ts'
import type { PolicyVersion as PolicyVersionOf, PolicyVersions } from '#iam/policies/versions.ts'
import { policyArn } from './arns.ts'
import type { Operations, PolicyVersion } from './model.ts'
import { openPage } from './paging.ts'
import { encodeDocument } from './shapes.ts'

export interface PolicyVersionParts {
  readonly versions: PolicyVersions
}

/** The versions of managed policies. */
export function policyVersionOperations({ versions }: PolicyVersionParts) {
  return {
    CreatePolicyVersion: {
      resource: policyArn,
      handle: async ({ input, principal: { account } }) => {
        const { PolicyArn: arn, PolicyDocument: document, SetAsDefault: inForce = false } = input
        const { document: _, ...version } = await versions.create(account, arn, document, { inForce })
        return { PolicyVersion: listedVersionShape(version) }
      },
    },
    GetPolicyVersion: {
      resource: policyArn,
      handle: async ({ input, principal: { account } }) => {
        const version = await versions.get(account, input.PolicyArn, readNumber(input))
        return { PolicyVersion: { ...listedVersionShape(version), Document: encodeDocument(version.document) } }
      },
    },
    ListPolicyVersions: {
      resource: policyArn,
      handle: async ({ input, principal: { account } }) => {
        const page = openPage(input, ['ListPolicyVersions', account, input.PolicyArn], [isNumber])
        const after = page.after?.map(Number)[0]
        const { items, next } = await versions.list(account, input.PolicyArn, { limit: page.limit, after })
        return {
          Versions: items.map(listedVersionShape),
          ...page.next(next === undefined ? undefined : [String(next)]),
        }
      },
    },
    DeletePolicyVersion: {
      resource: policyArn,
      handle: async ({ input, principal: { account } }) => {
        await versions.delete(account, input.PolicyArn, readNumber(input))
        return {}
      },
    },
    SetDefaultPolicyVersion: {
      resource: policyArn,
      handle: async ({ input, principal: { account } }) => {
        await versions.putInForce(account, input.PolicyArn, readNumber(input))
        return {}
      },
    },
  } satisfies Partial<Handlers<Operations>>
}

function isNumber(text: string): boolean {
  return /^[1-9]\d{0,14}$/.test(text)
}

/** `v<number>`: what else the model's pattern takes names no version that was ever given. @throws Refusal `EntityNotFound` */
function readNumber({ PolicyArn, VersionId }: { readonly PolicyArn: string; readonly VersionId: string }): number {
  const number = VersionId.slice(1)
  if (!isNumber(number))
    throw refuseEntity('EntityNotFound', { kind: 'policy version', name: `${PolicyArn} version ${VersionId}` })
  return Number(number)
}

function listedVersionShape({ number, inForce, createdAt }: Omit<PolicyVersionOf, 'document'>): PolicyVersion {
  return { VersionId: `v${number}`, IsDefaultVersion: inForce, CreateDate: new Date(createdAt) }
}
