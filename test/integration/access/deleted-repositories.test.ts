/** Who may restore a deleted repository: its own policy and its tags count as they did while it was there. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type * as wire from '#admin/model.ts'
import { callAdmin } from '#test/support/admin.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { pushImageTo } from '#test/support/ecr-push.ts'
import { image } from '#test/support/images/build.ts'
import { until } from '#test/support/until.ts'
import { type Actor, documentOf, type Statement, startWorld, type World } from './world.ts'

eachDatabaseInCi(({ dialect, url }) => {
  describe(`who may restore a deleted repository, over ${dialect}`, () => {
    let world: World
    before(async () => {
      world = await startWorld({ database: await url() })
    })
    after(() => world[Symbol.asyncDispose]())

    const everything: Statement = { Effect: 'Allow', Action: '*', Resource: '*' }

    async function create(repositoryName: string, { team, policy }: { team?: string; policy?: Statement }) {
      const { root } = world
      await root.createRepository({ repositoryName, tags: team === undefined ? [] : [{ Key: 'team', Value: team }] })
      await pushImageTo(root, repositoryName, image())
      if (policy === undefined) return
      await root.setRepositoryPolicy({ repositoryName, policyText: documentOf([policy]), force: true })
    }

    /** Creates a repository and deletes it. Answers its number. */
    async function bury(repositoryName: string, settings: { team?: string; policy?: Statement }): Promise<string> {
      await create(repositoryName, settings)
      await world.root.deleteRepository({ repositoryName, force: true })
      const { server } = world
      const { body } = await callAdmin<wire.ListDeletedRepositoriesResponse>(
        ...([server, server.credentials, 'ListDeletedRepositories', {}] as const),
      )
      return body.repositories[0]?.deletedRepositoryId ?? ''
    }

    async function restore(actor: Actor, repositoryName: string, deletedRepositoryId?: string) {
      const { server } = world
      const input = { registryId: server.account, repositoryName, deletedRepositoryId }
      const { body, requestId } = await callAdmin<{ __type?: string; message?: string }>(
        ...([server, actor.credentials, 'RestoreDeletedRepository', input] as const),
      )
      return { outcome: body.__type ?? 'restored', message: body.message ?? '', requestId }
    }

    test('a deny in its own policy holds, is explained as it was decided, and holds for nobody else', async () => {
      const { own, server } = world
      await own.may(everything)
      const policy: Statement = { Effect: 'Deny', Principal: { AWS: own.arn }, Action: '*' }
      await bury('team/denied', { policy })
      const { outcome, message, requestId } = await restore(own, 'team/denied')
      assert.equal(outcome, 'AccessDeniedException')
      assert.match(
        message,
        /to perform: lading:RestoreDeletedRepository on .*repository\/team\/denied with an explicit deny in a resource-based/,
      )
      const explain = () =>
        callAdmin<wire.ExplainRequestResponse>(server, server.credentials, 'ExplainRequest', { requestId })
      await until(async () => (await explain()).status === 200)
      assert.equal((await explain()).body.now?.allowed, false)
      const other = await world.user('carol')
      await other.may(everything)
      assert.equal((await restore(other, 'team/denied')).outcome, 'restored')
    })

    test('one into which nobody may push comes back with that policy, for whoever may restore', async () => {
      const { own, root } = world
      const Action = ['ecr:PutImage', 'ecr:CreateRepository']
      const frozen: Statement = { Sid: 'frozen', Effect: 'Deny', Principal: '*', Action }
      await bury('team/frozen', { policy: frozen })
      await own.may({
        ...{ Effect: 'Allow', Action: ['lading:RestoreDeletedRepository', 'ecr:CreateRepository'] },
        Resource: `arn:aws:ecr:${world.server.region}:${world.server.account}:repository/team/frozen`,
      })
      assert.equal((await restore(own, 'team/frozen')).outcome, 'restored')
      const { policyText } = await root.getRepositoryPolicy({ repositoryName: 'team/frozen' })
      assert.match(policyText ?? '', /"frozen"/)
    })

    test('what its own policy allows another account, that may do', async () => {
      const { foreign } = world
      await foreign.may(everything)
      const Principal = { AWS: foreign.arn }
      await world.registryPolicy({
        ...{ Sid: 'create', Effect: 'Allow', Principal, Action: 'ecr:CreateRepository' },
        Resource: `arn:aws:ecr:${world.server.region}:${world.server.account}:repository/*`,
      })
      await bury('team/shared', {})
      assert.equal((await restore(foreign, 'team/shared')).outcome, 'AccessDeniedException')
      await bury('team/shared', { policy: { Effect: 'Allow', Principal, Action: '*' } })
      assert.equal((await restore(foreign, 'team/shared')).outcome, 'restored')
    })

    test('a condition on tags asks those of the very repository that would come back', async () => {
      const { own } = world
      await own.may(
        { Effect: 'Allow', Action: 'ecr:CreateRepository', Resource: '*' },
        {
          ...{ Effect: 'Allow', Action: 'lading:RestoreDeletedRepository', Resource: '*' },
          Condition: { StringEquals: { 'aws:ResourceTag/team': 'blue' } },
        },
      )
      const blue = await bury('team/tagged', { team: 'blue' })
      const red = await bury('team/tagged', { team: 'red' })
      assert.equal((await restore(own, 'team/tagged')).outcome, 'AccessDeniedException', 'the last one')
      assert.equal((await restore(own, 'team/tagged', red)).outcome, 'AccessDeniedException')
      await create('team/tagged', { team: 'blue' })
      assert.equal((await restore(own, 'team/tagged', red)).outcome, 'AccessDeniedException', 'whatever has its name')
      assert.equal((await restore(own, 'team/tagged', blue)).outcome, 'RepositoryAlreadyExistsException')
      await world.root.deleteRepository({ repositoryName: 'team/tagged', force: true })
      assert.equal((await restore(own, 'team/tagged', blue)).outcome, 'restored')
    })

    test('of one that was never deleted nobody is told more than of one that was', async () => {
      const { own } = world
      await own.may()
      await bury('team/secret', {})
      for (const name of ['team/secret', 'team/nobody']) {
        assert.equal((await restore(own, name)).outcome, 'AccessDeniedException')
      }
      await own.may(everything)
      assert.equal((await restore(own, 'team/nobody')).outcome, 'DeletedRepositoryNotFoundException')
      const { message } = await restore(own, 'team/secret', '987654')
      assert.match(message, /no repository with name 'team\/secret' and id 987654/)
    })
  })
})
