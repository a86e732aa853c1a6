/**
 * Who may do what on the control plane: each operation under each way in which policies grant, withhold and deny it, by the AWS
 * SDK. A denial is ECR's, word for word; whoever is allowed gets an answer of the operation itself.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import model from '#ecr/model.json' with { type: 'json' }
import { eachDatabase } from '../support/databases.ts'
import { callOf, cases, type OperationCase, type OperationName, resourceOf } from './operations.ts'
import { type Actor, type Statement, startWorld, type World } from './world.ts'

/** What a policy of a scenario says of the action in question. */
interface Asked {
  readonly action: string
  readonly resource: string
  readonly actor: Actor
}

type Says = (asked: Asked) => Statement

interface Scenario {
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

const allow: Says = ({ action, resource }) => ({ Effect: 'Allow', Action: action, Resource: resource })
const allowAll: Says = () => ({ Effect: 'Allow', Action: '*', Resource: '*' })
const allowOthers: Says = ({ action }) => ({ Effect: 'Allow', NotAction: namesOf(action), Resource: '*' })
const allowElsewhere: Says = ({ action, resource }) => {
  const elsewhere = resource === '*' ? 'arn:aws:ecr:*:*:repository/*' : `${resource}-else`
  return { Effect: 'Allow', Action: namesOf(action), Resource: elsewhere }
}
const deny: Says = ({ action }) => ({ Effect: 'Deny', Action: action, Resource: '*' })

const user = ({ actor }: Asked) => ({ Principal: { AWS: actor.arn } })
const account = ({ actor }: Asked) => ({ Principal: { AWS: `arn:aws:iam::${actor.account}:root` } })
const allowUser: Says = (asked) => ({ Effect: 'Allow', Action: asked.action, Resource: asked.resource, ...user(asked) })
const allowAccount: Says = (asked) => ({ ...allowUser(asked), ...account(asked) })
const denyUser: Says = (asked) => ({ Effect: 'Deny', Action: asked.action, Resource: '*', ...user(asked) })

/** The one action that another one stands in for. */
function namesOf(action: string): string[] {
  return action === 'ecr:ListImageReferrers' ? [action, 'ecr:BatchGetImage'] : [action]
}

const scenarios: readonly Scenario[] = [
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

function endOf({ expected }: Scenario, action: string): string {
  switch (expected) {
    case 'no identity-based':
    case 'no resource-based':
      return `because ${expected} policy allows the ${action} action`
    case 'identity-based deny':
      return 'with an explicit deny in an identity-based policy'
    case 'resource-based deny':
      return 'with an explicit deny in a resource-based policy'
    case 'allowed':
      return ''
  }
}

/** A token is only an identity's own policies' to grant, and a repository that is to be made has no policy. */
function concerns({ who, repository, registry }: Scenario, name: OperationName, { resource, crosses }: OperationCase) {
  if (who === 'foreign' && !crosses) return false
  if (repository !== undefined && (resource !== 'repository' || name === 'CreateRepository')) return false
  return registry === undefined || name !== 'GetAuthorizationToken'
}

/** One of each kind: those whose decisions differ in what is read from the database. */
const decisive: readonly OperationName[] = [
  ...(['BatchGetImage', 'CreateRepository', 'DescribeRepositories', 'DescribePullThroughCacheRules'] as const),
  ...(['GetAuthorizationToken', 'ListImageReferrers', 'PutAccountSetting', 'TagResource'] as const),
]

// The names of the model, as the table's type has it.
const names = Object.keys(cases) as OperationName[]

test('the table has the operations of the model', () => {
  assert.deepEqual(new Set<string>(names), new Set(Object.keys(model.operations)))
  assert.equal(names.length, 58)
})

eachDatabase(({ dialect, url }) => {
  describe(`who may call each operation, over ${dialect}`, () => {
    let world: World
    before(async () => {
      world = await startWorld({ database: await url() })
    })
    after(() => world[Symbol.asyncDispose]())

    for (const name of dialect === 'sqlite' ? names : decisive) {
      for (const each of cases[name] as readonly OperationCase[]) {
        test(`${name} on ${each.resource}`, async () => {
          for (const scenario of scenarios) if (concerns(scenario, name, each)) await play(world, scenario, name, each)
          await world.repositoryPolicy()
          await world.registryPolicy()
        })
      }
    }

    test('no policy of a registry grants an authorization token', async () => {
      const { own } = world
      await own.may()
      await world.registryPolicy(allowUser({ action: 'ecr:*', resource: '*', actor: own }))
      await assert.rejects(own.ecr.getAuthorizationToken({}), {
        name: 'AccessDeniedException',
        message: `User: ${own.arn} is not authorized to perform: ecr:GetAuthorizationToken on resource: * because no identity-based policy allows the ecr:GetAuthorizationToken action`,
      })
      await world.registryPolicy()
    })

    test('the policy of a repository has no say on creating one of that name', async () => {
      const { own, target } = world
      const ask = { action: 'ecr:CreateRepository', resource: '*', actor: own }
      const { repositoryName } = target
      await own.may()
      await world.repositoryPolicy(allowUser(ask))
      await assert.rejects(own.ecr.createRepository({ repositoryName }), { name: 'AccessDeniedException' })
      await own.may(allow(ask))
      await world.repositoryPolicy(denyUser(ask))
      await assert.rejects(own.ecr.createRepository({ repositoryName }), { name: 'RepositoryAlreadyExistsException' })
      await world.repositoryPolicy()
    })

    test('a registry policy of scope V1 has its say on three actions, and can have none on others', async () => {
      const { own, root, server } = world
      await own.may()
      const setting = { name: 'REGISTRY_POLICY_SCOPE' }
      await root.putAccountSetting({ ...setting, value: 'V1' })
      for (const action of ['ecr:*', 'ecr:BatchGetImage', '*']) {
        await assert.rejects(world.registryPolicy(allowUser({ action, resource: '*', actor: own })), {
          name: 'InvalidParameterException',
          message:
            /^Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid registry policy provided'/,
        })
      }
      const create = (registryId: string, repositoryName: string) =>
        own.ecr.createRepository({ registryId, repositoryName })
      await assert.rejects(create(server.account, 'v1/denied'), { name: 'AccessDeniedException' })
      const resource = `arn:aws:ecr:${server.region}:${server.account}:repository/v1/*`
      for (const action of ['ecr:ReplicateImage', 'ecr:BatchImportUpstreamImage', 'ecr:CreateRepository']) {
        await world.registryPolicy(allowUser({ action, resource, actor: own }))
      }
      await create(server.account, 'v1/allowed')
      await assert.rejects(create(server.account, 'v2/denied'), { name: 'AccessDeniedException' })
      await root.putAccountSetting({ ...setting, value: 'V2' })
      await world.registryPolicy()
    })

    test('to create a repository with tags one must be allowed to tag it, too', async () => {
      const { own } = world
      const tags = [{ Key: 'k', Value: 'v' }]
      await own.may({ Effect: 'Allow', Action: 'ecr:CreateRepository', Resource: '*' })
      await assert.rejects(own.ecr.createRepository({ repositoryName: 'tagged/app', tags }), {
        name: 'AccessDeniedException',
        message: new RegExp(
          `^User: ${own.arn} is not authorized to perform: ecr:TagResource on resource: arn:aws:ecr:`,
        ),
      })
      await own.may({ Effect: 'Allow', Action: ['ecr:CreateRepository', 'ecr:TagResource'], Resource: '*' })
      await own.ecr.createRepository({ repositoryName: 'tagged/app', tags })
    })
  })
})

async function play(world: World, scenario: Scenario, name: OperationName, each: OperationCase): Promise<void> {
  const { title, who, identity = [], repository, registry, expected } = scenario
  const actor = world[who]
  const action = `ecr:${name}`
  const resource = resourceOf(each, world.target)
  const asked = { action, resource, actor }
  await actor.may(...identity.map((says) => says(asked)))
  if (repository !== undefined) await world.repositoryPolicy(...repository.map((says) => withoutResource(says(asked))))
  if (registry !== undefined) await world.registryPolicy(...registry.map((says) => says(asked)))

  const outcome = await outcomeOf(callOf(actor.ecr, name, each.input(world.target)))
  const where = `${who === 'own' ? 'a user' : 'a user of another account'}, ${title}`
  if (expected === 'allowed') assert.ok(isOwnAnswer(outcome, name), `${where}: ${JSON.stringify(outcome)}`)
  else {
    const message = `User: ${actor.arn} is not authorized to perform: ${action} on resource: ${resource} ${endOf(scenario, action)}`
    assert.deepEqual(outcome, { name: 'AccessDeniedException', status: 400, message }, where)
  }
  if (repository !== undefined) await world.repositoryPolicy()
  if (registry !== undefined) await world.registryPolicy()
}

function withoutResource({ Resource, ...statement }: Statement): Statement {
  return statement
}

type Outcome = { readonly name: string; readonly status: number; readonly message: string } | undefined

async function outcomeOf(call: Promise<unknown>): Promise<Outcome> {
  const [settled] = await Promise.allSettled([call])
  if (settled.status === 'fulfilled') return undefined
  const { name, message, $metadata } = settled.reason
  return { name, status: $metadata?.httpStatusCode, message }
}

/** What nobody gets who was not let in: success, or an exception that the operation itself throws. */
function isOwnAnswer(outcome: Outcome, name: OperationName): boolean {
  if (outcome === undefined) return true
  return outcome.name !== 'ServerException' && model.operations[name].errors.includes(outcome.name)
}
