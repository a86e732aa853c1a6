/** Who is let in to `/v2/`: the challenge, every credential that is none, and the registry that a token or a host means. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CreateRepositoryCommand } from '@aws-sdk/client-ecr'
import { openOciClient } from '#test/support/oci-client.ts'
import { startServer } from '#test/support/server.ts'
import { eachServerInCi, expect } from './world.ts'

let hoursLater = 0
const clock = () => Date.now() + hoursLater * 3_600_000

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

eachServerInCi(
  'authentication',
  (world) => {
    const { call } = world
    const passwordOf = (authorization: string) =>
      Buffer.from(authorization.slice('Basic '.length), 'base64').toString().slice('AWS:'.length)

    test('without credentials the answer is the challenge, on every path alike', async () => {
      const name = await world.repository()
      const paths = [
        '/v2/',
        '/v2',
        '/v2/_catalog',
        `/v2/${name}/tags/list`,
        '/v2/not/there/tags/list',
        '/v2/x/y',
        '/v2/UP/tags/list',
      ]
      for (const path of paths) {
        const answer = expect(await call('GET', path, { headers: { authorization: undefined } }), 401, 'UNAUTHORIZED')
        const challenge = `Basic realm="${world.server.url}/",service="ecr.amazonaws.com"`
        assert.equal(answer.headers['www-authenticate'], challenge)
        assert.match(answer.message, /docker login --username AWS/)
      }
    })

    test('a token is let in', async () => {
      for (const path of ['/v2/', '/v2']) {
        const answer = expect(await call('GET', path), 200)
        assert.deepEqual(answer.json(), {})
      }
    })

    test('another scheme, another user and a text that is no token are refused with the challenge', async () => {
      const token = passwordOf(world.client.registry.authorization)
      const bad = [
        '',
        'Basic',
        'Basic !',
        `Bearer ${token}`,
        basic('AWS'),
        basic('AWS:'),
        basic(`aws:${token}`),
        basic(`root:${token}`),
      ]
      for (const authorization of [...bad, basic('AWS:password'), basic(`AWS:${token} `), token]) {
        const answer = expect(await call('GET', '/v2/', { headers: { authorization } }), 401, 'UNAUTHORIZED')
        assert.ok(answer.headers['www-authenticate'] !== undefined, authorization)
      }
    })

    test('a token whose claims were changed is refused', async () => {
      const envelope = JSON.parse(Buffer.from(passwordOf(world.client.registry.authorization), 'base64').toString())
      const payload = Buffer.from(envelope.payload, 'base64').toString()
      assert.ok(payload.includes('000000000000'))
      const forgeries = [
        { ...envelope, payload: Buffer.from(payload.replaceAll('000000000000', '111111111111')).toString('base64') },
        { ...envelope, expiration: envelope.expiration + 1 },
        { ...envelope, datakey: Buffer.from('other').toString('base64') },
      ]
      for (const forged of forgeries) {
        const authorization = basic(`AWS:${Buffer.from(JSON.stringify(forged)).toString('base64')}`)
        expect(await call('GET', '/v2/', { headers: { authorization } }), 401, 'UNAUTHORIZED')
      }
    })

    test('a token is good for twelve hours and then refused in ECR’s words', async (t) => {
      t.after(() => {
        hoursLater = 0
      })
      hoursLater = 11.9
      expect(await call('GET', '/v2/'), 200)
      hoursLater = 12.1
      const answer = expect(await call('GET', '/v2/'), 403, 'DENIED')
      assert.equal(answer.message, 'Your authorization token has expired. Reauthenticate and try again.')
    })

    test('at a plain host a token opens the registry of its own account, and no other', async () => {
      const name = await world.repository()
      const credentials = await world.server.addAccount('111111111111')
      await using stranger = await openOciClient(world.server, { credentials })
      const answer = expect(await stranger.call('GET', `/v2/${name}/tags/list`), 404, 'NAME_UNKNOWN')
      assert.match(answer.message, /registry with id '111111111111'/)
      await stranger.createRepository(name)
      expect(await stranger.call('GET', `/v2/${name}/tags/list`), 200)
      assert.deepEqual((await stranger.call('GET', '/v2/_catalog')).json(), { repositories: [name] })
    })

    test('the registries of two regions of an account are two', async () => {
      const name = await world.repository()
      await using elsewhere = await openOciClient(world.server, { region: 'eu-central-1' })
      expect(await elsewhere.call('GET', `/v2/${name}/tags/list`), 404, 'NAME_UNKNOWN')
      await elsewhere.ecr.send(new CreateRepositoryCommand({ repositoryName: 'only-there' }))
      expect(await elsewhere.call('GET', '/v2/only-there/tags/list'), 200)
      expect(await call('GET', '/v2/only-there/tags/list'), 404, 'NAME_UNKNOWN')
    })
  },
  { clock },
)

test('at a host of a domain', async (t) => {
  await using server = await startServer({ environment: { LADING_DOMAIN: 'lading.test' } })
  await using client = await openOciClient(server)
  const { port } = new URL(server.url)
  const hostOf = (account: string, region: string) => `${account}.dkr.ecr.${region}.lading.test:${port}`
  const own = hostOf('000000000000', 'us-east-1')
  await client.createRepository('team/app')

  await t.test('the challenge names the host that was asked', async () => {
    const headers = { host: own, authorization: undefined }
    const answer = expect(await client.call('GET', '/v2/', { headers }), 401, 'UNAUTHORIZED')
    assert.match(answer.headers['www-authenticate'] ?? '', new RegExp(`realm="http://${own}/"`))
  })

  await t.test('the registry is the host’s', async () => {
    expect(await client.call('GET', '/v2/team/app/tags/list', { headers: { host: own } }), 200)
    expect(await client.call('GET', '/v2/team/app/tags/list'), 200)
  })

  await t.test('a host that is shaped like a registry’s and is none opens no other', async () => {
    const headers = { host: hostOf('1', 'us-east-1') }
    const answer = expect(await client.call('GET', '/v2/team/app/tags/list', { headers }), 400)
    assert.equal(answer.message, `Could not resolve registry id from host ${headers.host}`)
  })

  await t.test(
    'a token of another account is denied in IAM’s words, whether or not the repository is there',
    async () => {
      const credentials = await server.addAccount('111111111111')
      await using stranger = await openOciClient(server, { credentials })
      for (const name of ['team/app', 'team/none']) {
        const answer = expect(
          await stranger.call('GET', `/v2/${name}/tags/list`, { headers: { host: own } }),
          403,
          'DENIED',
        )
        assert.equal(
          answer.message,
          `User: arn:aws:iam::111111111111:root is not authorized to perform: ecr:ListImages on resource: arn:aws:ecr:us-east-1:000000000000:repository/${name} because no resource-based policy allows the ecr:ListImages action (request id: ${answer.headers['x-amzn-requestid']})`,
        )
      }
    },
  )

  await t.test('a token of another region is denied, and told where to log in', async () => {
    await using elsewhere = await openOciClient(server, { region: 'eu-central-1' })
    const answer = expect(await elsewhere.call('GET', '/v2/', { headers: { host: own } }), 403, 'DENIED')
    assert.match(answer.message, /aws ecr get-login-password --region us-east-1/)
    const there = hostOf('000000000000', 'eu-central-1')
    expect(await elsewhere.call('GET', '/v2/', { headers: { host: there } }), 200)
  })
})
