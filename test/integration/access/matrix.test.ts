/**
 * Who may do what on the control plane: each operation under each way in which policies grant, withhold and deny it, by the AWS
 * SDK. A denial is ECR's, word for word; whoever is allowed gets an answer of the operation itself.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import model from '#ecr/model.json' with { type: 'json' }
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { callOf, cases, type OperationCase, type OperationName, resourceOf } from './operations.ts'
import {
  type Asked,
  allow,
  allowUser,
  arrange,
  clear,
  denialOf,
  denyUser,
  type Scenario,
  scenarios,
} from './scenarios.ts'
import { startWorld, type World } from './world.ts'

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

eachDatabaseInCi(({ dialect, url }) => {
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
  const actor = world[scenario.who]
  const others = name === 'ListImageReferrers' ? ['ecr:BatchGetImage'] : []
  const asked: Asked = { action: `ecr:${name}`, resource: resourceOf(each, world.target), actor, others }
  await arrange(world, scenario, asked)
  const outcome = await outcomeOf(callOf(actor.ecr, name, each.input(world.target)))
  const where = `${scenario.who}: ${scenario.title}`
  const message = denialOf(scenario, asked)
  if (message === undefined) assert.ok(isOwnAnswer(outcome, name), `${where}: ${JSON.stringify(outcome)}`)
  else assert.deepEqual(outcome, { name: 'AccessDeniedException', status: 400, message }, where)
  await clear(world, scenario)
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
