import type { Webhook, WebhookDelivery, WebhookDeliveryState } from '#admin/model.ts'
import type { Wire } from './api/client.ts'
import { type ApiCall, CommandError, type CommandGroup, type Explained, textOf } from './command.ts'
import { type Column, type Fields, pageSize, shownPages, time } from './output.ts'
import { readPattern, testPattern } from './webhook-pattern.ts'

const name = ['<webhook>', "the webhook's name"] as const

const settings: readonly Explained[] = [
  ['--pattern <json>', 'an event pattern of EventBridge; every event of the account without one'],
  ['--pattern-file <file>', 'a file with the pattern, or - for standard input'],
  ['--description <text>', 'what the webhook is for'],
]

export const webhookCommands: CommandGroup = {
  name: 'webhook',
  description: 'where events are sent: receivers, their secrets, and what did not arrive there',
  commands: [
    {
      name: 'create',
      over: 'api',
      description: 'send events to a URL; prints the secret that signs them, once',
      arguments: [name],
      options: [
        ['--url <url>', 'where events are sent by POST; HTTPS, unless the operator lists the host'],
        ...settings,
        ['--disabled', 'send nothing yet'],
      ],
      example: `lading webhook create ci --url https://ci.example.com/hooks --pattern '{"source":["aws.ecr"]}'`,
      run: create,
    },
    {
      name: 'list',
      over: 'api',
      description: 'list the webhooks of the registry',
      example: 'lading webhook list',
      run: list,
    },
    {
      name: 'show',
      over: 'api',
      description: 'show a webhook, what waits for it and how its last deliveries went',
      arguments: [name],
      example: 'lading webhook show ci',
      run: async (call) => {
        const { webhook } = await call.api.call('DescribeWebhook', { name: nameIn(call) })
        call.output.show(webhookFields(webhook))
      },
    },
    {
      name: 'update',
      over: 'api',
      description: 'change a webhook; what waits is sent at once if it is enabled or has another URL',
      arguments: [name],
      options: [
        ['--url <url>', 'where events are sent'],
        ...settings,
        ['--enable', 'send events again, those that wait first'],
        ['--disable', 'send nothing; what waits for longer than a day is dead then'],
      ],
      example: 'lading webhook update ci --url https://ci.example.com/hooks/v2',
      run: update,
    },
    {
      name: 'delete',
      over: 'api',
      description: 'delete a webhook, with all that it has not delivered',
      arguments: [name],
      example: 'lading webhook delete ci',
      run: async (call) => {
        await call.api.call('DeleteWebhook', { name: nameIn(call) })
        call.output.show({ webhook: nameIn(call), deleted: true })
      },
    },
    {
      name: 'rotate-secret',
      over: 'api',
      description: 'print a new secret, once; the one before signs too for a day',
      arguments: [name],
      example: 'lading webhook rotate-secret ci',
      run: rotate,
    },
    {
      name: 'test',
      over: 'api',
      description: 'send a test event now and show what the receiver answers',
      arguments: [name],
      example: 'lading webhook test ci',
      run: test,
    },
    testPattern,
    {
      name: 'deliveries',
      over: 'api',
      description: 'list events that wait to be delivered or that are dead',
      arguments: [name],
      options: [['--state <waiting|dead>', 'only these']],
      example: 'lading webhook deliveries ci --state dead',
      run: listDeliveries,
    },
    {
      name: 'redeliver',
      over: 'api',
      description: 'deliver an event again that waits or is dead, or all that are dead',
      arguments: [name],
      options: [
        ['--event <id>', 'the id of the event'],
        ['--all-dead', 'all dead ones'],
      ],
      example: 'lading webhook redeliver ci --all-dead',
      run: redeliver,
    },
  ],
}

const columns: readonly Column[] = [
  ...['webhook', 'enabled', 'url', 'waiting', 'dead', 'lastDeliveredAt', 'lastFailureAt', 'lastFailure'],
]

const deliveryColumns: readonly Column[] = [
  ...['event', 'detailType', 'orderKey', 'state', 'attempts', 'createdAt', 'lastAttemptAt', 'lastStatus', 'lastError'],
]

async function create(call: ApiCall): Promise<void> {
  const url = textOf(call, 'url')
  if (url === undefined) throw new CommandError('expected --url <url>')
  const eventPattern = await readPattern(call)
  const { webhook, secret } = await call.api.call('CreateWebhook', {
    ...{ name: nameIn(call), url },
    ...(eventPattern !== undefined && { eventPattern }),
    ...describe(call),
    enabled: call.options.disabled !== true,
  })
  call.output.show({ ...webhookFields(webhook), secret })
  call.output.note('Keep the secret now: it is not shown again.')
}

async function list(call: ApiCall): Promise<void> {
  const pages = call.api.pages('ListWebhooks', { maxResults: pageSize }, ({ webhooks }) => webhooks)
  await call.output.list('webhooks', shownPages(pages, webhookFields), columns)
}

async function update(call: ApiCall): Promise<void> {
  const { enable, disable } = call.options
  if (enable === true && disable === true) throw new CommandError('expected either --enable or --disable')
  const url = textOf(call, 'url')
  const eventPattern = await readPattern(call)
  const change = {
    ...(url !== undefined && { url }),
    ...(eventPattern !== undefined && { eventPattern }),
    ...describe(call),
    ...((enable === true || disable === true) && { enabled: enable === true }),
  }
  if (Object.keys(change).length === 0) {
    throw new CommandError('nothing to change: give --url, --pattern, --description, --enable or --disable')
  }
  const { webhook } = await call.api.call('UpdateWebhook', { name: nameIn(call), ...change })
  call.output.show(webhookFields(webhook))
}

async function rotate(call: ApiCall): Promise<void> {
  const answer = await call.api.call('RotateWebhookSecret', { name: nameIn(call) })
  const previousSecretExpiresAt = timeText(answer.previousSecretExpiresAt)
  call.output.show({ webhook: nameIn(call), secret: answer.secret, previousSecretExpiresAt })
  call.output.note('Keep the secret now: it is not shown again.')
}

async function test(call: ApiCall): Promise<void> {
  const answer = await call.api.call('TestWebhook', { name: nameIn(call) })
  const { eventId: event, delivered, statusCode: status, error, durationMilliseconds } = answer
  call.output.show({ webhook: nameIn(call), event, delivered, status, error, durationMs: durationMilliseconds })
}

async function listDeliveries(call: ApiCall): Promise<void> {
  const state = readState(textOf(call, 'state'))
  const input = { name: nameIn(call), maxResults: pageSize, ...(state !== undefined && { state }) }
  const pages = call.api.pages('ListWebhookDeliveries', input, ({ deliveries }) => deliveries)
  await call.output.list('deliveries', shownPages(pages, deliveryFields), deliveryColumns)
}

async function redeliver(call: ApiCall): Promise<void> {
  const eventId = textOf(call, 'event')
  const allDead = call.options.allDead === true
  if ((eventId === undefined) !== allDead) throw new CommandError('expected either --event <id> or --all-dead')
  const asked = { name: nameIn(call), ...(eventId === undefined ? { allDead } : { eventId }) }
  const { eventCount: events } = await call.api.call('RedeliverWebhookEvents', asked)
  call.output.show({ webhook: nameIn(call), events })
}

function nameIn({ arguments: [text = ''] }: ApiCall): string {
  return text
}

function describe(call: ApiCall) {
  const description = textOf(call, 'description')
  return description === undefined ? {} : { description }
}

/** @throws CommandError */
function readState(text: string | undefined): WebhookDeliveryState | undefined {
  if (text === undefined) return undefined
  if (text === 'waiting') return 'WAITING'
  if (text === 'dead') return 'DEAD'
  throw new CommandError('expected --state waiting or --state dead')
}

function webhookFields(webhook: Wire<Webhook>): Fields {
  const { url, eventPattern: pattern, description, enabled, gone, lastFailure } = webhook
  return {
    ...{ webhook: webhook.name, enabled, gone: gone || undefined, url, pattern, description },
    ...{ waiting: webhook.waitingCount, dead: webhook.deadCount },
    ...{ createdAt: timeText(webhook.createdAt), updatedAt: timeText(webhook.updatedAt) },
    lastDeliveredAt: timeText(webhook.lastDeliveredAt),
    ...{ lastFailureAt: timeText(lastFailure?.at), lastFailure: lastFailure?.reason },
  }
}

function deliveryFields(delivery: Wire<WebhookDelivery>): Fields {
  const { eventId: event, detailType, orderKey, attempts } = delivery
  return {
    ...{ event, detailType, orderKey, state: delivery.state.toLowerCase(), attempts },
    ...{ createdAt: timeText(delivery.createdAt), firstAttemptAt: timeText(delivery.firstAttemptAt) },
    lastAttemptAt: timeText(delivery.lastAttemptAt),
    ...{ lastStatus: delivery.lastStatusCode, lastError: delivery.lastError },
  }
}

/** AWS JSON has times in seconds. */
function timeText(at: number | undefined): string | undefined {
  return at === undefined ? undefined : time(Math.round(at * 1_000))
}
