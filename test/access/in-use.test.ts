/** Who may report what is in use, and say that it is kept: each cluster for itself. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { callAdmin } from '../support/admin.ts'
import { eachDatabase } from '../support/databases.ts'
import { repositoryArn } from './operations.ts'
import { type Actor, startWorld, type World } from './world.ts'

eachDatabase(({ dialect, url }) => {
  describe(`who may say what is in use, over ${dialect}`, () => {
    let world: World
    before(async () => {
      world = await startWorld({ database: await url() })
    })
    after(() => world[Symbol.asyncDispose]())

    const inputs = {
      ReportImagesInUse: { cluster: 'prod', images: [] },
      ListInUseReports: {},
      ListImagesInUse: {},
      DeleteInUseReport: { cluster: 'prod' },
      GetRepositoryRetention: { repositoryName: 'team/app' },
      PutRepositoryRetention: { repositoryName: 'team/app', keepInUse: 'INHERITED' },
    }
    type Name = keyof typeof inputs
    const names = Object.keys(inputs) as Name[]

    function resourceOf(name: Name): string {
      const { region, account } = world.server
      if (name.startsWith('List')) return '*'
      if (name.endsWith('Retention')) return repositoryArn(world.target)
      return `arn:aws:lading:${region}:${account}:in-use-report/prod`
    }

    async function call(actor: Actor, name: Name, more: object = {}) {
      const { body, status } = await callAdmin<{ __type?: string; message?: string }>(
        ...([world.server, actor.credentials, name, { ...inputs[name], ...more }] as const),
      )
      return { status, ...body }
    }

    test('each operation needs its own action on its own resource', async () => {
      const { own } = world
      for (const name of names) {
        const [action, resource] = [`lading:${name}`, resourceOf(name)]
        await own.may()
        const denied = await call(own, name)
        assert.equal(denied.__type, 'AccessDeniedException')
        assert.match(
          denied.message ?? '',
          new RegExp(`perform: ${action} on resource: ${resource.replace('*', '\\*')} `),
        )
        await own.may({ Effect: 'Allow', NotAction: action, Resource: '*' })
        assert.equal((await call(own, name)).__type, 'AccessDeniedException')
        await own.may({ Effect: 'Allow', Action: action, Resource: resource })
        assert.equal((await call(own, name)).status, 200, name)
      }
    })

    test('who may report for one cluster may neither report for another nor forget its report', async () => {
      const { own } = world
      await own.may({ Effect: 'Allow', Action: 'lading:*', Resource: resourceOf('ReportImagesInUse') })
      assert.equal((await call(own, 'ReportImagesInUse')).status, 200)
      for (const name of ['ReportImagesInUse', 'DeleteInUseReport'] as const) {
        assert.equal((await call(own, name, { cluster: 'production' })).__type, 'AccessDeniedException')
      }
    })

    test('nobody says or is told anything of another account', async () => {
      const { foreign, server } = world
      await foreign.may({ Effect: 'Allow', Action: '*', Resource: '*' })
      for (const name of names) {
        const { __type } = await call(foreign, name, { registryId: server.account })
        assert.equal(__type, 'AccessDeniedException', name)
      }
    })
  })
})
