import { parsePattern } from '#events/pattern/parse.ts'
import type { SecretBox } from '#iam/secret-box.ts'
import type { Clock } from '#lib/clock.ts'
import { type Page, pageOf } from '#lib/page.ts'
import type { Metadata, Reader, Transaction } from '#metadata/metadata.ts'
import type { Registry } from '#names/registry.ts'
import { type Quotas, requireWithin } from '#registry/quotas.ts'
import { makeAllDue } from './lanes.ts'
import type { AdmitReceiver } from './receivers.ts'
import { refuse } from './refusals.ts'
import { newSecret, openSecrets, rotated, rotationMs, sealSecrets } from './secrets.ts'
import { parseWebhook, type Webhook } from './webhook.ts'

/** The webhooks of registries, as callers keep them. */
export interface Webhooks {
  /**
   * Returns the secret, which no later call returns.
   *
   * @throws Refusal `WebhookAlreadyExists`, `WebhookUrlInvalid`, `QuotaExceeded` and those of the pattern
   */
  create(registry: Registry, webhook: NewWebhook): Promise<WithSecret>
  /**
   * Changes what is given. A webhook that is enabled, or has another URL, delivers what waits at once.
   *
   * @throws Refusal `WebhookNotFound`, `WebhookUrlInvalid` and those of the pattern
   */
  update(registry: Registry, name: string, change: WebhookChange): Promise<Webhook>
  /** With all that it has to deliver. @throws Refusal `WebhookNotFound` */
  delete(registry: Registry, name: string): Promise<void>
  /** The secrets before sign for a day from their rotation on. @throws Refusal `WebhookNotFound` */
  rotateSecret(registry: Registry, name: string): Promise<WithSecret & { readonly previousUntil: number }>
  /** @throws Refusal `WebhookNotFound` */
  get(registry: Registry, name: string): Promise<Webhook>
  /** By name. `after` is the key of an earlier page. */
  list(registry: Registry, page: { limit: number; after?: string | undefined }): Promise<Page<Webhook, string>>
}

export interface NewWebhook {
  readonly name: string
  readonly url: string
  /** Every event of the registry if absent. */
  readonly pattern: string | undefined
  readonly description: string | undefined
  readonly enabled: boolean
}

/** An empty description removes it. */
export type WebhookChange = { readonly [Key in Exclude<keyof NewWebhook, 'name'>]?: NewWebhook[Key] | undefined }

export interface WithSecret {
  readonly webhook: Webhook
  readonly secret: string
}

export interface WebhooksParts {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly box: SecretBox
  readonly quotas: Quotas
  readonly admit: AdmitReceiver
  /** Called when something may be due. */
  readonly onDue: () => void
}

export function createWebhooks({ metadata, clock, box, quotas, admit, onDue }: WebhooksParts): Webhooks {
  return {
    create(registry, { name, url, pattern = everyEventOf(registry), description, enabled }) {
      admit(url)
      parsePattern(pattern)
      const secret = newSecret()
      return metadata.transaction(async (trx) => {
        const now = clock()
        await lockAll(trx, registry)
        const row = await trx
          .insertInto('webhook')
          .values({
            ...{ account: registry.account, region: registry.region, name, url, pattern },
            ...{ description: description || null, sealed_secrets: sealSecrets(box, [{ secret }]) },
            ...{ enabled: enabled ? 1 : 0, disabled_reason: null, created_at: now, updated_at: now },
            ...{ delivered_at: null, failed_at: null, failure: null, leased_by: null, leased_until: null },
            ...{ kept_events: 0, kept_bytes: 0 },
          })
          .onConflict((conflict) => conflict.columns(['account', 'region', 'name']).doNothing())
          .returningAll()
          .executeTakeFirst()
        if (row === undefined) throw refuse('WebhookAlreadyExists', { registry, name })
        await requireWithin(quotas, 'webhooks', { registry }, ofAccount(trx, registry).select('name'))
        return { webhook: parseWebhook(row), secret }
      })
    },

    async update(registry, name, { url, pattern, description, enabled }) {
      if (url !== undefined) admit(url)
      if (pattern !== undefined) parsePattern(pattern)
      const webhook = await metadata.transaction(async (trx) => {
        const row = await lockWebhook(trx, registry, name)
        const now = clock()
        const written = {
          ...(url !== undefined && { url }),
          ...(pattern !== undefined && { pattern }),
          ...(description !== undefined && { description: description || null }),
          ...(enabled !== undefined && { enabled: enabled ? 1 : 0, disabled_reason: null }),
          updated_at: now,
        }
        await trx.updateTable('webhook').set(written).where('id', '=', row.id).execute()
        if (enabled === true || url !== undefined) await makeAllDue(trx, row.id, now)
        return parseWebhook({ ...row, ...written })
      })
      onDue()
      return webhook
    },

    delete: (registry, name) =>
      metadata.transaction(async (trx) => {
        const { id } = await lockWebhook(trx, registry, name)
        await trx.deleteFrom('webhook').where('id', '=', id).execute()
      }),

    rotateSecret(registry, name) {
      const secret = newSecret()
      return metadata.transaction(async (trx) => {
        const row = await lockWebhook(trx, registry, name)
        const now = clock()
        const secrets = rotated(openSecrets(box, row.sealed_secrets), secret, now)
        const written = { sealed_secrets: sealSecrets(box, secrets), updated_at: now }
        await trx.updateTable('webhook').set(written).where('id', '=', row.id).execute()
        return { webhook: parseWebhook({ ...row, ...written }), secret, previousUntil: now + rotationMs }
      })
    },

    async get(registry, name) {
      const row = await ofRegistry(metadata.reader, registry).selectAll().where('name', '=', name).executeTakeFirst()
      if (row === undefined) throw refuse('WebhookNotFound', { registry, name })
      return parseWebhook(row)
    },

    async list(registry, { limit, after }) {
      const rows = await ofRegistry(metadata.reader, registry)
        .selectAll()
        .$if(after !== undefined, (query) => query.where('name', '>', after ?? ''))
        .orderBy('name')
        .limit(limit + 1)
        .execute()
      return pageOf(rows.map(parseWebhook), limit, ({ name }) => name)
    },
  }
}

/** The pattern of a webhook that was created without one. */
function everyEventOf({ account }: Registry): string {
  return JSON.stringify({ account: [account] })
}

function ofRegistry(reader: Reader, { account, region }: Registry) {
  return reader.selectFrom('webhook').where('account', '=', account).where('region', '=', region)
}

/** In all regions: a caller may choose any number of them. */
function ofAccount(reader: Reader, { account }: Registry) {
  return reader.selectFrom('webhook').where('account', '=', account)
}

/** Two creations at a time follow one another where there are webhooks already. */
async function lockAll(trx: Transaction, registry: Registry): Promise<void> {
  await ofAccount(trx, registry).select('id').orderBy('id').forNoKeyUpdate().execute()
}

/** @throws Refusal `WebhookNotFound` */
async function lockWebhook(trx: Transaction, registry: Registry, name: string) {
  const row = await ofRegistry(trx, registry).selectAll().where('name', '=', name).forUpdate().executeTakeFirst()
  if (row === undefined) throw refuse('WebhookNotFound', { registry, name })
  return row
}
