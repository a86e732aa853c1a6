/**
 * The ways in which policies grant, withhold and deny an action, to a user of the account that owns the resource and to one of
 * another, and how ECR words what follows.
 */
import type { Actor, Statement, World } from './world.ts'

/** The action in question. */
export interface Asked {
  readonly action: string
  readonly resource: string
  /** Actions that stand in for it. */
  readonly others?: readonly string[]
  readonly actor: Actor
}

type Says = (asked: Asked) => Statement

export interface Scenario {
  readonly title: string
  readonly who: 'own' | 'foreign'
  readonly identity?: readonly Says[]
  readonly repository?: readonly Says[]
  readonly registry?: readonly Says[]
  /** How the sentence of the denial ends. */
  readonly expected:
    | 'allowed'
    | 'no identity-based'
    | 'no resource-based'
    | 'identity-based deny'
    | 'resource-based deny'
}

export const allow: Says = ({ action, resource }) => ({ Effect: 'Allow', Action: action, Resource: resource })
const allowAll: Says = () => ({ Effect: 'Allow', Action: '*', Resource: '*' })
const allowOthers: Says = ({ action, others = [] }) => ({
  Effect: 'Allow',
  NotAction: [action, ...others],
  Resource: '*',
})
const allowElsewhere: Says = ({ action, resource, others = [] }) => {
  const elsewhere = resource === '*' ? 'arn:aws:ecr:*:*:repository/*' : `${resource}-else`
  return { Effect: 'Allow', Action: [action, ...others], Resource: elsewhere }
}
const deny: Says = ({ action }) => ({ Effect: 'Deny', Action: action, Resource: '*' })

const user = ({ actor }: Asked) => ({ Principal: { AWS: actor.arn } })
const account = ({ actor }: Asked) => ({ Principal: { AWS: `arn:aws:iam::${actor.account}:root` } })
export const allowUser: Says = (asked) => ({
  Effect: 'Allow',
  Action: asked.action,
  Resource: asked.resource,
  ...user(asked),
})
const allowAccount: Says = (asked) => ({ ...allowUser(asked), ...account(asked) })
export const denyUser: Says = (asked) => ({ Effect: 'Deny', Action: asked.action, Resource: '*', ...user(asked) })

export const scenarios: readonly Scenario[] = [
  { title: 'allowed all else', who: 'own', identity: [allowOthers], expected: 'no identity-based' },
  { title: 'allowed it elsewhere', who: 'own', identity: [allowElsewhere], expected: 'no identity-based' },
  { title: 'allowed it alone', who: 'own', identity: [allow], expected: 'allowed' },
  { title: 'allowed and denied it', who: 'own', identity: [allowAll, deny], expected: 'identity-based deny' },

  { title: 'named by the repository', who: 'own', repository: [allowUser], expected: 'allowed' },
  { title: 'its account named by it', who: 'own', repository: [allowAccount], expected: 'no identity-based' },
  {
    ...{ title: 'allowed, and denied by it', who: 'own', identity: [allowAll], repository: [allowUser, denyUser] },
    expected: 'resource-based deny',
  },
  { title: 'named by the registry', who: 'own', registry: [allowUser], expected: 'allowed' },
  { title: 'its account named by that', who: 'own', registry: [allowAccount], expected: 'no identity-based' },
  {
    ...{ title: 'allowed, and denied by that', who: 'own', identity: [allowAll], registry: [denyUser] },
    expected: 'resource-based deny',
  },

  { title: 'a stranger that is allowed', who: 'foreign', identity: [allowAll], expected: 'no resource-based' },
  { title: 'named by the repository', who: 'foreign', repository: [allowUser], expected: 'no identity-based' },
  { title: 'its account named by it', who: 'foreign', repository: [allowAccount], expected: 'no identity-based' },
  {
    ...{ title: 'allowed, and its account named by it', who: 'foreign', identity: [allow], repository: [allowAccount] },
    expected: 'allowed',
  },
  {
    ...{ title: 'denied, and named by it', who: 'foreign', identity: [allow, deny], repository: [allowUser] },
    expected: 'identity-based deny',
  },
  {
    ...{ title: 'allowed, and denied by it', who: 'foreign', identity: [allow], repository: [allowAccount, denyUser] },
    expected: 'resource-based deny',
  },
  { title: 'named by the registry', who: 'foreign', registry: [allowUser], expected: 'no identity-based' },
  {
    ...{ title: 'allowed, and its account named by that', who: 'foreign', identity: [allow], registry: [allowAccount] },
    expected: 'allowed',
  },
  {
    ...{ title: 'allowed, and denied by that', who: 'foreign', identity: [allow], registry: [allowUser, denyUser] },
    expected: 'resource-based deny',
  },
]

/** ECR's sentence for the scenario; `undefined` where it allows. */
export function denialOf({ expected }: Scenario, { action, resource, actor }: Asked): string | undefined {
  const denied = `User: ${actor.arn} is not authorized to perform: ${action} on resource: ${resource}`
  switch (expected) {
    case 'no identity-based':
    case 'no resource-based':
      return `${denied} because ${expected} policy allows the ${action} action`
    case 'identity-based deny':
      return `${denied} with an explicit deny in an identity-based policy`
    case 'resource-based deny':
      return `${denied} with an explicit deny in a resource-based policy`
    case 'allowed':
      return undefined
  }
}

/** Puts the policies of the scenario, and allows everywhere what is asked for beside the action in question. */
export async function arrange(
  world: World,
  { identity = [], repository, registry }: Scenario,
  asked: Asked,
  beside: readonly string[] = [],
): Promise<void> {
  const also = beside.length === 0 ? [] : [{ Effect: 'Allow', Action: beside, Resource: '*' } as const]
  await asked.actor.may(...identity.map((says) => says(asked)), ...also)
  const ofRepository = [
    ...(repository ?? []).map((says) => withoutResource(says(asked))),
    ...also.map((statement) => ({ ...withoutResource(statement), Principal: { AWS: asked.actor.arn } })),
  ]
  if (ofRepository.length > 0) await world.repositoryPolicy(...ofRepository)
  if (registry !== undefined) await world.registryPolicy(...registry.map((says) => says(asked)))
}

/** Takes away what `arrange` put on resources. */
export async function clear(
  world: World,
  { repository, registry }: Scenario,
  beside: readonly string[] = [],
): Promise<void> {
  if (repository !== undefined || beside.length > 0) await world.repositoryPolicy()
  if (registry !== undefined) await world.registryPolicy()
}

/** A repository's policy is about it alone. */
function withoutResource({ Resource, ...statement }: Statement): Statement {
  return statement
}
