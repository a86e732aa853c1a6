/**
 * Who may do what on the data plane: each endpoint under each way in which policies grant, withhold and deny its actions, over
 * plain HTTP. A stranger reaches the registry by its host name or with a token for it; both are asked.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Method } from '#oci/call.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { image } from '#test/support/images/build.ts'
import { type Answer, type OciClient, openOciClient } from '#test/support/oci-client.ts'
import { repositoryArn } from './operations.ts'
import { type RouteCase, routes } from './routes.ts'
import { type Asked, arrange, clear, denialOf, type Scenario, scenarios } from './scenarios.ts'
import { type Actor, startWorld, type World } from './world.ts'

const token = { Effect: 'Allow', Action: 'ecr:GetAuthorizationToken', Resource: '*' } as const

type Way = 'its own token' | 'a token for the registry' | 'the host of the registry'

const ways: Record<Scenario['who'], readonly Way[]> = {
  own: ['its own token'],
  foreign: ['a token for the registry', 'the host of the registry'],
}

/** One of each kind of resource, and the one with two actions. */
const decisive = ['GET /v2/_catalog', 'GET manifests/v1', 'PUT blobs/uploads']

eachDatabaseInCi(({ dialect, url }) => {
  describe(`who may use each endpoint, over ${dialect}`, () => {
    let world: World
    let client: OciClient
    const authorizations = new Map<string, string>()

    before(async () => {
      world = await startWorld({ database: await url() })
      client = await openOciClient(world.server)
      for (const [actor, registryIds] of [
        [world.own, undefined],
        [world.foreign, undefined],
        [world.foreign, [world.server.account]],
      ] as const) {
        await actor.may(token)
        const { authorizationData } = await actor.ecr.getAuthorizationToken({ registryIds: registryIds?.slice() })
        const authorization = `Basic ${authorizationData?.[0]?.authorizationToken}`
        authorizations.set(`${actor.arn} ${registryIds ?? 'own'}`, authorization)
        await actor.may()
      }
    })
    after(async () => {
      await client[Symbol.asyncDispose]()
      await world[Symbol.asyncDispose]()
    })

    function headersOf({ arn }: Actor, way: Way): Record<string, string | undefined> {
      const { server, domain } = world
      const port = new URL(server.url).port
      const registry = way === 'a token for the registry' ? server.account : 'own'
      return {
        authorization: authorizations.get(`${arn} ${registry}`),
        ...(way === 'the host of the registry' && {
          host: `${server.account}.dkr.ecr.${server.region}.${domain}:${port}`,
        }),
      }
    }

    function send(method: string, each: RouteCase, name: string, actor: Actor, way: Way): Promise<Answer> {
      const { path, headers, body } = each
      return client.call(method, path(name), {
        headers: { ...headersOf(actor, way), ...headers },
        ...(body !== undefined && { body }),
      })
    }

    async function play(scenario: Scenario, method: string, each: RouteCase, group: number): Promise<void> {
      const actor = world[scenario.who]
      const [action = '', ...others] = each.actions[group] ?? []
      const beside = each.actions.filter((actions) => actions[0] !== action).map(([first]) => first)
      const { target } = world
      const resource = repositoryArn(target, each.resource === 'repository' ? target.repositoryName : '*')
      const asked: Asked = { action, resource, actor, others }
      await arrange(world, scenario, asked, beside)
      const message = denialOf(scenario, asked)
      for (const way of ways[scenario.who]) {
        const answer = await send(method, each, target.repositoryName, actor, way)
        const where = `${scenario.who}, ${scenario.title}, by ${way}: ${answer.status} ${answer.body}`
        if (message === undefined) assert.ok(isOwnAnswer(answer), where)
        else {
          assert.equal(answer.status, 403, where)
          const told = `${message} (request id: ${answer.headers['x-amzn-requestid']})`
          const expected = method === 'HEAD' ? '' : JSON.stringify({ errors: [{ code: 'DENIED', message: told }] })
          assert.equal(answer.body.toString(), expected, where)
        }
      }
      await clear(world, scenario, beside)
    }

    for (const [family, methods] of Object.entries(routes)) {
      for (const [method, cases] of Object.entries(methods)) {
        for (const each of cases) {
          const title = `${method} ${each.path('{name}').replace('/v2/{name}/', '').slice(0, 60)}`
          if (dialect !== 'sqlite' && !decisive.some((start) => title.startsWith(start))) continue
          test(title, async () => {
            for (const [group] of each.actions.entries()) {
              for (const scenario of scenarios) {
                if (each.resource === 'repository' || scenario.repository === undefined)
                  await play(scenario, method, each, group)
              }
            }
            for (const [action, other] of each.actions) {
              if (other === undefined) continue
              await world.own.may({ Effect: 'Allow', Action: other, Resource: '*' })
              const answer = await send(method, each, world.target.repositoryName, world.own, 'its own token')
              assert.ok(isOwnAnswer(answer), `${other} stands in for ${action}`)
            }
          })
        }
      }

      test(`the ${family} family of URLs has the methods of the table`, async () => {
        // The paths of a family differ in what follows them alone.
        const [each] = Object.values(methods).flat() as RouteCase[]
        const answer = await client.call('TRACE', each?.path('team/app') ?? '')
        assert.equal(answer.status, 405)
        const served: unknown = answer.headers.allow?.split(', ')
        assert.deepEqual(new Set(served as string[]), new Set(Object.keys(methods)))
      })
    }

    test('a valid token is all that the base asks for', async () => {
      for (const actor of [world.own, world.foreign]) {
        await actor.may()
        for (const way of ways[actor === world.own ? 'own' : 'foreign']) {
          assert.equal((await client.call('GET', '/v2/', { headers: headersOf(actor, way) })).status, 200)
        }
      }
      assert.equal((await client.call('GET', '/v2/', { headers: { authorization: undefined } })).status, 401)
    })

    test('a layer is mounted for whoever may push here and download there, and uploaded by whoever may not', async () => {
      const { own, root, server } = world
      await root.putAccountSetting({ name: 'BLOB_MOUNTING', value: 'ENABLED' })
      await root.createRepository({ repositoryName: 'team/new' })
      const digest = image().blobs[0]?.digest
      const arn = (name: string) => `arn:aws:ecr:${server.region}:${server.account}:repository/${name}`
      const push = { Effect: 'Allow', Action: 'ecr:InitiateLayerUpload', Resource: arn('team/new') } as const
      const mount = (from = 'team/app') =>
        client.call('POST', `/v2/team/new/blobs/uploads/?mount=${digest}&from=${from}`, {
          headers: headersOf(own, 'its own token'),
        })
      await own.may(push)
      const [there, missing] = [await mount(), await mount('team/nil')]
      assert.equal(there.status, 202)
      assert.deepEqual(withoutUpload(there), withoutUpload(missing), 'nor does it tell whether the source is there')
      const download = { Effect: 'Allow', Action: 'ecr:GetDownloadUrlForLayer' } as const
      await own.may(push, { ...download, Resource: arn('team/new') })
      assert.equal((await mount()).status, 202)
      await own.may({ ...push, Resource: arn('team/app') }, { ...download, Resource: '*' })
      assert.equal((await mount()).status, 403)
      await own.may(push, { ...download, Resource: arn('team/app') })
      assert.equal((await mount()).status, 201)
    })

    test('who may not use a repository does not learn whether it is there', async () => {
      for (const actor of [world.own, world.foreign]) {
        await actor.may()
        for (const way of ways[actor === world.own ? 'own' : 'foreign']) {
          for (const { method, each } of everyCase()) {
            const [there, missing] = await Promise.all(
              ['team/app', 'team/nil'].map((name) => send(method, each, name, actor, way)),
            )
            assert.deepEqual(shown(there), shown(missing), `${method} ${each.path('{name}')} by ${way}`)
          }
        }
      }
    })

    test('nor does a stranger learn whether an account is there', async () => {
      const { foreign, server, domain } = world
      await foreign.may({ Effect: 'Allow', Action: '*', Resource: '*' })
      const port = new URL(server.url).port
      for (const { method, each } of everyCase()) {
        if (each.actions.length === 0) continue
        const [there, missing] = await Promise.all(
          [server.account, '999999999999'].map((account) =>
            client.call(method, each.path('team/app'), {
              headers: {
                authorization: authorizations.get(`${foreign.arn} own`),
                host: `${account}.dkr.ecr.${server.region}.${domain}:${port}`,
                ...each.headers,
              },
              ...(each.body !== undefined && { body: each.body }),
            }),
          ),
        )
        assert.equal(there?.status, 403)
        assert.deepEqual(shown(there), shown(missing), `${method} ${each.path('{name}')}`)
      }
    })
  })
})

function everyCase(): { method: Method; each: RouteCase }[] {
  return Object.values(routes).flatMap((methods) =>
    // The table's keys are methods.
    Object.entries(methods).flatMap(([method, cases]) => cases.map((each) => ({ method: method as Method, each }))),
  )
}

/** Everything of an answer but what differs each time, and the names that were asked for. */
function shown(answer: Answer | undefined) {
  if (answer === undefined) return undefined
  const { date, 'x-amzn-requestid': id, ...headers } = answer.headers
  const body = answer.body
    .toString()
    .replace(String(id), '{id}')
    .replaceAll(/team\/(?:app|nil)/g, '{name}')
    .replaceAll(/\d{12}/g, '{account}')
  return { status: answer.status, headers, body }
}

/** The beginning of an upload but for its id. */
function withoutUpload(answer: Answer) {
  const { location, 'docker-upload-uuid': id = '', ...headers } = answer.headers
  return { ...shown({ ...answer, headers }), location: location?.replace(String(id), '{id}') }
}

/** What nobody gets who was not let in. */
function isOwnAnswer({ status, error }: Answer): boolean {
  return status < 500 && status !== 401 && error !== 'DENIED' && status !== 403
}
