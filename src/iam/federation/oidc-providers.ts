import type { Selectable } from 'kysely'
import type { ChangeIam } from '#iam/changes.ts'
import { refuseEntity } from '#iam/entity-refusals.ts'
import { type Tag, type Tags, withoutTags, withTags } from '#iam/identities/tags.ts'
import type { Clock } from '#lib/clock.ts'
import type { Reader, Transaction } from '#metadata/metadata.ts'
import type { OidcProviderTable } from '#metadata/schema/iam.ts'
import type { AccountId } from '#names/account.ts'

/**
 * The OpenID Connect providers that an account trusts to say who somebody is: each a URL and the clients that its tokens are
 * made for. Roles name in their trust policies what a provider has to say before it is believed.
 */
export interface OidcProvider {
  readonly arn: string
  /** Without the scheme, which is always HTTPS, as IAM shows it and condition keys begin. */
  readonly url: string
  readonly clientIds: readonly string[]
  /**
   * Of the provider's certificate authority. Recorded only: a certificate is believed if an authority signed it that this server
   * trusts.
   */
  readonly thumbprints: readonly string[]
  readonly createdAt: number
  readonly tags: Tags
}

export interface NewOidcProvider {
  /** `https://…` */
  readonly url: string
  readonly clientIds: readonly string[]
  readonly thumbprints: readonly string[]
  readonly tags: readonly Tag[]
}

export interface OidcProviders {
  /** @throws Refusal `ProviderUrlInvalid`, `EntityExists`, `EntityQuotaExceeded`, `ThumbprintsTooMany` */
  create(account: AccountId, provider: NewOidcProvider): Promise<OidcProvider>
  /** @throws Refusal `EntityNotFound` */
  get(account: AccountId, arn: string): Promise<OidcProvider>
  /** All of them, for an account has few. By ARN. */
  list(account: AccountId): Promise<readonly OidcProvider[]>
  /** Of one that is not there, nothing. */
  delete(account: AccountId, arn: string): Promise<void>
  /** @throws Refusal `EntityNotFound`, `EntityQuotaExceeded` */
  addClientId(account: AccountId, arn: string, clientId: string): Promise<void>
  /** @throws Refusal `EntityNotFound` */
  removeClientId(account: AccountId, arn: string, clientId: string): Promise<void>
  /** @throws Refusal `EntityNotFound`, `EntityQuotaExceeded` */
  putThumbprints(account: AccountId, arn: string, thumbprints: readonly string[]): Promise<void>
  /** @throws Refusal `EntityNotFound` and those of tags */
  addTags(account: AccountId, arn: string, tags: readonly Tag[]): Promise<void>
  /** @throws Refusal `EntityNotFound` */
  removeTags(account: AccountId, arn: string, keys: readonly string[]): Promise<void>
}

/** Imposed by IAM ("IAM and AWS STS quotas"). */
const mostClientIds = 100
const mostThumbprints = 5

export function createOidcProviders(parts: { reader: Reader; change: ChangeIam; clock: Clock }): OidcProviders {
  const { reader, change, clock } = parts

  function update(
    account: AccountId,
    arn: string,
    changed: (provider: OidcProvider) => Partial<Pick<OidcProvider, 'clientIds' | 'thumbprints' | 'tags'>>,
  ): Promise<void> {
    return change(async (trx) => {
      const row = await select(trx, account).where('arn', '=', arn).forUpdate().executeTakeFirst()
      if (row === undefined) throw missing(arn)
      const before = parse(row)
      const { clientIds, thumbprints, tags } = { ...before, ...changed(before) }
      requireWithin({ clientIds, thumbprints })
      await trx
        .updateTable('oidc_provider')
        .set(columns({ clientIds, thumbprints, tags }))
        .where('arn', '=', arn)
        .execute()
    })
  }

  return {
    async create(account, { url: given, clientIds, thumbprints, tags }) {
      const url = parseUrl(given)
      requireWithin({ clientIds, thumbprints })
      return change(async (trx) => {
        const row = await trx
          .insertInto('oidc_provider')
          .values({
            ...{ arn: oidcProviderArn(account, url), account, url, created_at: clock() },
            ...columns({ clientIds: [...new Set(clientIds)], thumbprints, tags: withTags({}, tags) }),
          })
          .onConflict((conflict) => conflict.doNothing())
          .returningAll()
          .executeTakeFirst()
        if (row === undefined) throw refuseEntity('EntityExists', { kind: 'identity provider', name: given })
        return parse(row)
      })
    },

    async get(account, arn) {
      const row = await select(reader, account).where('arn', '=', arn).executeTakeFirst()
      if (row === undefined) throw missing(arn)
      return parse(row)
    },

    async list(account) {
      const rows = await select(reader, account).orderBy('arn').execute()
      return rows.map(parse)
    },

    delete: (account, arn) =>
      change(async (trx) => {
        await trx.deleteFrom('oidc_provider').where('arn', '=', arn).where('account', '=', account).execute()
      }),

    addClientId: (account, arn, clientId) =>
      update(account, arn, ({ clientIds }) => ({ clientIds: [...new Set([...clientIds, clientId])] })),
    removeClientId: (account, arn, clientId) =>
      update(account, arn, ({ clientIds }) => ({ clientIds: clientIds.filter((each) => each !== clientId) })),
    putThumbprints: (account, arn, thumbprints) => update(account, arn, () => ({ thumbprints })),
    addTags: (account, arn, added) => update(account, arn, ({ tags }) => ({ tags: withTags(tags, added) })),
    removeTags: (account, arn, keys) => update(account, arn, ({ tags }) => ({ tags: withoutTags(tags, keys) })),
  }
}

/** The account's provider with that URL, `https://…`. */
export async function findOidcProvider(
  reader: Reader,
  account: AccountId,
  issuer: string,
): Promise<OidcProvider | undefined> {
  const arn = oidcProviderArn(account, issuer.replace(/^https:\/\//, ''))
  const row = await select(reader, account).where('arn', '=', arn).executeTakeFirst()
  return row && parse(row)
}

function oidcProviderArn(account: AccountId, url: string): string {
  return `arn:aws:iam::${account}:oidc-provider/${url}`
}

/**
 * The URL as tokens have it in `iss`, which is compared letter by letter, without its scheme. @throws Refusal `ProviderUrlInvalid`
 */
function parseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const plain = url?.protocol === 'https:' && url.username === '' && url.password === '' && !/[?#\s]/.test(text)
  const [, rest = ''] = /^https:\/\/([\x21-\x7e]{1,247})$/.exec(text) ?? []
  if (!plain || rest === '') throw refuseEntity('ProviderUrlInvalid', { url: text })
  return rest
}

/** @throws Refusal `EntityQuotaExceeded`, `ThumbprintsTooMany` */
function requireWithin({ clientIds, thumbprints }: Pick<OidcProvider, 'clientIds' | 'thumbprints'>): void {
  if (clientIds.length > mostClientIds) {
    throw refuseEntity('EntityQuotaExceeded', { quota: 'client ids', limit: mostClientIds })
  }
  if (thumbprints.length > mostThumbprints) throw refuseEntity('ThumbprintsTooMany', { limit: mostThumbprints })
}

function select(reader: Reader | Transaction, account: AccountId) {
  return reader.selectFrom('oidc_provider').selectAll().where('account', '=', account)
}

function columns({ clientIds, thumbprints, tags }: Pick<OidcProvider, 'clientIds' | 'thumbprints' | 'tags'>) {
  return {
    client_ids: JSON.stringify(clientIds),
    thumbprints: JSON.stringify(thumbprints),
    tags: JSON.stringify(tags),
  }
}

function parse(row: Selectable<OidcProviderTable>): OidcProvider {
  return {
    arn: row.arn,
    url: row.url,
    clientIds: JSON.parse(row.client_ids),
    thumbprints: JSON.parse(row.thumbprints),
    createdAt: row.created_at,
    tags: JSON.parse(row.tags),
  }
}

function missing(arn: string) {
  return refuseEntity('EntityNotFound', { kind: 'identity provider', name: arn })
}
