/** Webhooks by Lading's own API, on a running server: from a push to a receiver, secrets, and what is refused. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ECR } from '@aws-sdk/client-ecr'
import { Webhook } from 'standardwebhooks'
import type { Operations, Webhook as WireWebhook } from '#admin/model.ts'
import { openMetadata } from '#metadata/open.ts'
import { callAdmin } from '#test/support/admin.ts'
import { openAuditReader } from '#test/support/audit.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { pushImageTo } from '#test/support/ecr-push.ts'
import { image } from '#test/support/images/build.ts'
import { readMetrics } from '#test/support/metrics.ts'
import { type RunningServer, startServer } from '#test/support/server.ts'
import { until } from '#test/support/until.ts'
import { startReceiver } from '#test/support/webhooks/receiver.ts'

type Name = keyof Operations
type Refused = { readonly __type: string; readonly message: string }

const webhookWaits = { pollMs: 20, retryMs: () => 20 }

eachDatabaseInCi(({ dialect, url }) =>
  describe(`webhooks by API on ${dialect}`, () => {
    async function start(environment: Readonly<Record<string, string>> = {}) {
      const database = await url()
      const settings = { LADING_WEBHOOK_HOSTS: '127.0.0.1', ...environment }
      const server = await startServer({ database, environment: settings, webhookWaits })
      return Object.assign(server, { database })
    }

    async function ask<N extends Name>(server: RunningServer, name: N, input: Operations[N]['input']) {
      const { status, body } = await callAdmin<Operations[N]['output']>(server, server.credentials, name, input)
      assert.equal(status, 200, JSON.stringify(body))
      return body
    }

    async function refusal(server: RunningServer, name: Name, input: object): Promise<readonly [string, string]> {
      const { status, body } = await callAdmin<Refused>(server, server.credentials, name, input)
      assert.equal(status, 400)
      return [body.__type, body.message]
    }

    test('a push reaches the receiver, signed with the secret that was shown once', async (t) => {
      await using server = await start()
      await using receiver = await startReceiver()
      const eventPattern = '{"detail-type":["ECR Image Action"],"detail":{"action-type":["PUSH"]}}'
      const made = await ask(server, 'CreateWebhook', { name: 'ci', url: receiver.url, eventPattern })
      assert.match(made.secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
      receiver.secrets = [made.secret]
      const ecr = new ECR({ endpoint: server.url, region: server.region, credentials: server.credentials })
      t.after(() => ecr.destroy())
      await ecr.createRepository({ repositoryName: 'team/app' })
      const pushed = image({})
      await pushImageTo(ecr, 'team/app', pushed, 'v1')
      await until(() => receiver.accepted.length > 0)
      const [message = assert.fail('nothing came')] = receiver.accepted
      assert.equal(message.event.source, 'aws.ecr')
      assert.equal(message.event.detail['repository-name'], 'team/app')
      assert.equal(message.event.detail['image-tag'], 'v1')
      await until(async () => {
        const { webhook } = await ask(server, 'DescribeWebhook', { name: 'ci' })
        return webhook.lastDeliveredAt !== undefined && webhook.waitingCount === 0
      })
      const metrics = await readMetrics(server)
      assert.equal(metrics.get('lading_webhook_delivered_total'), 1)
      const labels = `account="${server.account}",region="${server.region}",webhook="ci"`
      assert.equal(metrics.get(`lading_webhook_waiting{${labels}}`), 0)
    })

    test('what is stored and recorded holds no secret', async () => {
      await using server = await start()
      const at = 'https://hooks.invalid/services/its-token?key=its-key'
      const { secret } = await ask(server, 'CreateWebhook', { name: 'ci', url: at })
      const rotated = await ask(server, 'RotateWebhookSecret', { name: 'ci' })
      await ask(server, 'UpdateWebhook', { name: 'ci', description: 'for the tests' })
      assert.notEqual(rotated.secret, secret)
      const metadata = await openMetadata(server.database, () => {})
      try {
        const row = await metadata.reader.selectFrom('webhook').selectAll().executeTakeFirstOrThrow()
        const stored = JSON.stringify(row)
        for (const each of [secret, rotated.secret]) assert.ok(!stored.includes(each.slice(6, 40)))
      } finally {
        await metadata.close()
      }
      using audit = openAuditReader(server)
      const records = await audit.records(
        { LookupAttributes: [{ AttributeKey: 'ReadOnly', AttributeValue: 'false' }] },
        3,
      )
      const text = JSON.stringify(records)
      assert.ok(text.includes('RotateWebhookSecret'))
      for (const each of [secret.slice(6, 40), rotated.secret.slice(6, 40), 'its-token', 'its-key']) {
        assert.ok(!text.includes(each), each)
      }
    })

    test('both secrets verify after a rotation, and the test event says what the receiver answers', async () => {
      await using server = await start()
      await using receiver = await startReceiver()
      const { secret: before } = await ask(server, 'CreateWebhook', { name: 'ci', url: receiver.url, enabled: false })
      const { secret: after } = await ask(server, 'RotateWebhookSecret', { name: 'ci' })
      receiver.secrets = [before]
      const { durationMilliseconds, ...tried } = await ask(server, 'TestWebhook', { name: 'ci' })
      const [message = assert.fail('nothing came')] = receiver.received
      assert.deepEqual(tried, {
        ...{ registryId: server.account, name: 'ci', eventId: message.id, delivered: true, statusCode: 204 },
      })
      assert.ok(durationMilliseconds >= 0)
      for (const secret of [before, after]) new Webhook(secret).verify(message.body, { ...message.headers })
      assert.equal(message.event['detail-type'], 'Lading Webhook Test')
      receiver.answer = () => 500
      const failed = await ask(server, 'TestWebhook', { name: 'ci' })
      assert.deepEqual([failed.delivered, failed.statusCode, failed.error], [false, 500, 'it answers 500'])
    })

    test('webhooks are listed in pages, changed and deleted', async () => {
      await using server = await start()
      for (const name of ['c', 'a', 'b']) await ask(server, 'CreateWebhook', { name, url: 'https://hooks.invalid/' })
      const named = (webhooks: readonly WireWebhook[]) => webhooks.map(({ name }) => name)
      const first = await ask(server, 'ListWebhooks', { maxResults: 2 })
      const { nextToken } = first
      const second = await ask(server, 'ListWebhooks', { maxResults: 2, nextToken })
      assert.deepEqual(
        [named(first.webhooks), named(second.webhooks), second.nextToken],
        [['a', 'b'], ['c'], undefined],
      )
      const eventPattern = '{"source":["lading"]}'
      const change = { url: 'https://hooks.invalid/2', eventPattern, description: 'one', enabled: false }
      const { webhook } = await ask(server, 'UpdateWebhook', { name: 'a', ...change })
      assert.deepEqual({ ...webhook, ...change }, webhook)
      const cleared = await ask(server, 'UpdateWebhook', { name: 'a', description: '' })
      assert.equal(cleared.webhook.description, undefined)
      await ask(server, 'DeleteWebhook', { name: 'a' })
      const [code] = await refusal(server, 'DescribeWebhook', { name: 'a' })
      assert.equal(code, 'WebhookNotFoundException')
    })

    test('what cannot be is refused, with what is wrong', async () => {
      await using server = await start({ LADING_QUOTAS: 'webhooks=1' })
      const good = { name: 'ci', url: 'https://hooks.invalid/' }
      assert.deepEqual(await refusal(server, 'CreateWebhook', { ...good, eventPattern: '{"source":"aws.ecr"}' }), [
        'InvalidEventPatternException',
        'Event pattern is not valid. Reason: source: expected an object or a list of allowed values, found a text',
      ])
      const [, http] = await refusal(server, 'CreateWebhook', { ...good, url: 'http://hooks.invalid/' })
      assert.match(http, /must begin with https:\/\/, unless the operator lists its host in LADING_WEBHOOK_HOSTS/)
      const [, address] = await refusal(server, 'CreateWebhook', { ...good, url: 'https://10.0.0.1/' })
      assert.match(address, /is private/)
      assert.equal((await refusal(server, 'CreateWebhook', { ...good, name: 'A b' }))[0], 'ValidationException')
      await ask(server, 'CreateWebhook', good)
      assert.equal((await refusal(server, 'CreateWebhook', good))[0], 'WebhookAlreadyExistsException')
      assert.deepEqual(await refusal(server, 'CreateWebhook', { ...good, name: 'other' }), [
        'LimitExceededException',
        `The maximum number of webhooks, 1, has been reached in the registry with id '${server.account}'`,
      ])
      const [elsewhere] = await refusal({ ...server, region: 'eu-north-1' }, 'CreateWebhook', good)
      assert.equal(elsewhere, 'LimitExceededException')
      assert.equal((await refusal(server, 'RedeliverWebhookEvents', { name: 'ci' }))[0], 'InvalidParameterException')
      const [gone] = await refusal(server, 'RedeliverWebhookEvents', { name: 'ci', eventId: 'none' })
      assert.equal(gone, 'WebhookDeliveryNotFoundException')
    })
  }),
)
