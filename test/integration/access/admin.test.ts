/**
 * Who may do what by Lading's own API: each operation with each of the permissions that it needs missing, and with nothing but those.
 * A denial is worded as ECR's.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import model from '#admin/model.json' with { type: 'json' }
import type { Operations } from '#admin/model.ts'
import { callAdmin } from '#test/support/admin.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { repositoryArn } from './operations.ts'
import { type Actor, startWorld, type World } from './world.ts'

type Name = keyof Operations

interface Case {
  /** Beside the action of its own name, on the same resource. */
  readonly also?: readonly string[]
  readonly resource: 'repository' | 'report' | 'rule' | 'webhook' | '*'
  /** Changes nothing on which another call depends. */
  readonly input: object
}

const imageDigest = `sha256:${'2'.repeat(64)}`

function inRepository(more: object = {}, also: readonly string[] = []): Case {
  return { resource: 'repository', also, input: { repositoryName: 'team/app', ...more } }
}

function ofWebhook(name = 'hook', more: object = {}): Case {
  return { resource: 'webhook', input: { name, ...more } }
}

const cases: Readonly<Record<Name, Case>> = {
  CreateWebhook: ofWebhook('new', { url: 'https://hooks.invalid/' }),
  DeleteInUseReport: { resource: 'report', input: { cluster: 'prod' } },
  DeleteWebhook: ofWebhook('new'),
  DescribeImageOrigin: inRepository({ imageTag: 'v1' }),
  DescribePullThroughCache: { resource: 'rule', input: { ecrRepositoryPrefix: 'cache/' } },
  DescribeWebhook: ofWebhook(),
  DescribeReplication: { resource: '*', input: {} },
  Explain: { resource: '*', input: { principal: 'AKIANOBODYNOBODYNOBO', action: 'ecr:PutImage', resource: '*' } },
  DescribeReplicationRun: { resource: '*', input: { runId: '1' } },
  ExplainRequest: { resource: '*', input: { requestId: '00000000-0000-4000-8000-000000000000' } },
  GetRepositoryRetention: inRepository(),
  GetRetentionSettings: { resource: '*', input: {} },
  GetTagAt: inRepository({ imageTag: 'v1' }),
  ListDeletedImages: inRepository(),
  ListDeletedRepositories: { resource: '*', input: {} },
  ListEvents: inRepository(),
  ListImagesInUse: { resource: '*', input: {} },
  ListInUseReports: { resource: '*', input: {} },
  ListReplicationFindings: { resource: '*', input: { runId: '1' } },
  ListReplicationImages: { resource: '*', input: {} },
  ListReplicationRuns: { resource: '*', input: {} },
  ListTagMoves: inRepository(),
  ListWebhookDeliveries: ofWebhook(),
  ListWebhooks: { resource: '*', input: {} },
  PreviewLifecycle: inRepository({}, ['ecr:StartLifecyclePolicyPreview']),
  PurgeDeletedImages: inRepository({ imageDigest }, ['ecr:BatchDeleteImage']),
  PutPullThroughCacheSettings: { resource: 'rule', input: { ecrRepositoryPrefix: 'cache' } },
  PutRepositoryRetention: inRepository({ keepInUse: 'INHERITED' }),
  PutRetentionSettings: { resource: '*', input: {} },
  RedeliverWebhookEvents: ofWebhook('hook', { allDead: true }),
  RefreshPullThroughCache: inRepository(),
  ReportImagesInUse: { resource: 'report', input: { cluster: 'prod', images: [] } },
  RetryReplication: { resource: '*', input: {} },
  RestoreDeletedImage: inRepository({ imageDigest }, ['ecr:PutImage']),
  RestoreDeletedRepository: inRepository({}, ['ecr:CreateRepository']),
  RollbackTag: inRepository({ imageTag: 'v1' }, ['ecr:PutImage']),
  RotateWebhookSecret: ofWebhook(),
  TestEventPattern: { resource: '*', input: { eventPattern: '{"source":["lading"]}', event: '{}' } },
  StartReplicationSync: { resource: '*', input: {} },
  StartReplicationVerification: { resource: '*', input: {} },
  UpdateReplicationRun: { resource: '*', input: { runId: '1', change: 'CANCEL' } },
  TestWebhook: ofWebhook(),
  UpdateWebhook: ofWebhook('hook', { description: 'for the tests' }),
}

// The names of the model, as the table's type has it.
const names = Object.keys(cases) as Name[]

test("the table has the operations of Lading's model", () => {
  assert.deepEqual(new Set<string>(names), new Set(Object.keys(model.operations)))
})

eachDatabaseInCi(({ dialect, url }) => {
  describe(`who may call each operation of Lading's own, over ${dialect}`, () => {
    let world: World
    before(async () => {
      world = await startWorld({ database: await url() })
      const webhook = { name: 'hook', url: 'https://hooks.invalid/' }
      const { status } = await callAdmin(world.server, world.server.credentials, 'CreateWebhook', webhook)
      assert.equal(status, 200)
    })
    after(() => world[Symbol.asyncDispose]())

    function resourceOf(name: Name): string {
      const { resource } = cases[name]
      if (resource === '*') return '*'
      const { region, account } = world.server
      if (resource === 'repository') return repositoryArn(world.target)
      const { name: webhook } = { name: '', ...cases[name].input }
      const own = { rule: 'pull-through-cache/cache', report: 'in-use-report/prod', webhook: `webhook/${webhook}` }
      return `arn:aws:lading:${region}:${account}:${own[resource]}`
    }

    async function call(actor: Actor, name: Name, more: object = {}) {
      const input = { ...cases[name].input, ...more }
      const { status, body } = await callAdmin<object>(world.server, actor.credentials, name, input)
      const error = '__type' in body ? String(body.__type) : undefined
      return { status, error, message: 'message' in body ? String(body.message) : '' }
    }

    for (const name of names) {
      test(name, async () => {
        const { own } = world
        const resource = resourceOf(name)
        const actions = [`lading:${name}`, ...(cases[name].also ?? [])]
        const requireDenied = async (action: string, why: string) => {
          const { error, message } = await call(own, name)
          assert.equal(error, 'AccessDeniedException', why)
          assert.ok(message.includes(` is not authorized to perform: ${action} on resource: ${resource} `), message)
        }
        await own.may()
        await requireDenied(`lading:${name}`, 'allowed nothing')
        for (const action of actions) {
          await own.may({ Effect: 'Allow', NotAction: action, Resource: '*' })
          await requireDenied(action, `allowed all but ${action}`)
          await own.may(
            { Effect: 'Allow', Action: '*', Resource: '*' },
            { Effect: 'Deny', Action: action, Resource: '*' },
          )
          await requireDenied(action, `denied ${action}`)
        }
        if (resource !== '*') {
          await own.may({ Effect: 'Allow', Action: '*', Resource: `${resource}-else` })
          await requireDenied(`lading:${name}`, 'allowed elsewhere')
        }
        await own.may({ Effect: 'Allow', Action: actions, Resource: resource })
        const { status, error } = await call(own, name)
        const promised: readonly string[] = model.operations[name].errors
        assert.ok(error === undefined ? status === 200 : promised.includes(error), `${status} ${error}`)
      })
    }

    test('all of ECR is nothing of Lading, and whoever may look changes nothing', async () => {
      const { own, registryPolicy, repositoryPolicy } = world
      const { arn } = own
      const everything = { Effect: 'Allow', Action: 'ecr:*', Resource: '*' } as const
      await own.may(everything)
      await registryPolicy({ ...everything, Principal: { AWS: arn } })
      await repositoryPolicy({ Effect: 'Allow', Action: 'ecr:*', Principal: { AWS: arn } })
      for (const name of names) assert.equal((await call(own, name)).error, 'AccessDeniedException', name)
      await own.may(everything, { Effect: 'Allow', Action: ['lading:Get*', 'lading:List*'], Resource: '*' })
      for (const name of names) {
        const { error } = await call(own, name)
        const seen = name === 'ListReplicationFindings' ? 'ReplicationRunNotFoundException' : undefined
        assert.equal(error, /^(?:Get|List)/.test(name) ? seen : 'AccessDeniedException', name)
      }
      await registryPolicy()
      await repositoryPolicy()
    })

    test('a key that may not is not told whether a repository is there', async () => {
      const { own } = world
      await own.may({ Effect: 'Allow', Action: 'lading:*', Resource: `${repositoryArn(world.target)}-else` })
      for (const name of names.filter((each) => cases[each].resource === 'repository')) {
        const there = await call(own, name)
        const missing = await call(own, name, { repositoryName: 'team/nil' })
        assert.deepEqual({ ...missing, message: missing.message.replaceAll('team/nil', 'team/app') }, there, name)
        assert.equal(there.error, 'AccessDeniedException')
      }
    })

    test('who may report for one cluster may neither report for another nor forget its report', async () => {
      const { own } = world
      await own.may({ Effect: 'Allow', Action: 'lading:*', Resource: resourceOf('ReportImagesInUse') })
      assert.equal((await call(own, 'ReportImagesInUse')).status, 200)
      for (const name of ['ReportImagesInUse', 'DeleteInUseReport'] as const) {
        assert.equal((await call(own, name, { cluster: 'production' })).error, 'AccessDeniedException')
      }
    })

    test('nobody says or is told anything of another account', async () => {
      const { foreign, server } = world
      await foreign.may({ Effect: 'Allow', Action: '*', Resource: '*' })
      for (const name of names.filter((each) => !each.startsWith('Explain'))) {
        const { error } = await call(foreign, name, { registryId: server.account })
        assert.equal(error, 'AccessDeniedException', name)
      }
    })
  })
})
