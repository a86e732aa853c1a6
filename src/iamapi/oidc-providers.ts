import type { Handlers } from '#aws/operation.ts'
import type { OidcProviders } from '#iam/federation/oidc-providers.ts'
import { tagConditions } from './conditions.ts'
import type { Operations } from './model.ts'
import { readTags, tagShapes } from './shapes.ts'
import { tagPage } from './tag-page.ts'

export interface OidcProviderParts {
  readonly providers: OidcProviders
}

/** OpenID Connect providers. */
export function oidcProviderOperations({ providers }: OidcProviderParts) {
  const resource = ({ input }: { readonly input: { readonly OpenIDConnectProviderArn: string } }) =>
    input.OpenIDConnectProviderArn
  return {
    CreateOpenIDConnectProvider: {
      resource: ({ input: { Url }, principal }) =>
        `arn:aws:iam::${principal.account}:oidc-provider/${Url.replace(/^https:\/\//, '')}`,
      also: ({ Tags }) => (Tags?.length ? ['iam:TagOpenIDConnectProvider'] : []),
      conditions: tagConditions,
      handle: async ({ input, principal: { account } }) => {
        const { Url: url, ClientIDList: clientIds = [], ThumbprintList: thumbprints = [], Tags } = input
        const { arn, tags } = await providers.create(account, { url, clientIds, thumbprints, tags: readTags(Tags) })
        const given = tagShapes(tags)
        return { OpenIDConnectProviderArn: arn, ...(given.length > 0 && { Tags: given }) }
      },
    },
    GetOpenIDConnectProvider: {
      resource,
      handle: async ({ input, principal: { account } }) => {
        const { url, ...provider } = await providers.get(account, input.OpenIDConnectProviderArn)
        return {
          Url: url,
          ClientIDList: provider.clientIds,
          ThumbprintList: provider.thumbprints,
          CreateDate: new Date(provider.createdAt),
          Tags: tagShapes(provider.tags),
        }
      },
    },
    ListOpenIDConnectProviders: {
      resource: ({ principal }) => `arn:aws:iam::${principal.account}:oidc-provider/*`,
      handle: async ({ principal: { account } }) => {
        const listed = await providers.list(account)
        return { OpenIDConnectProviderList: listed.map(({ arn }) => ({ Arn: arn })) }
      },
    },
    DeleteOpenIDConnectProvider: {
      resource,
      handle: async ({ input, principal: { account } }) => {
        await providers.delete(account, input.OpenIDConnectProviderArn)
        return {}
      },
    },
    AddClientIDToOpenIDConnectProvider: {
      resource,
      handle: async ({ input, principal: { account } }) => {
        await providers.addClientId(account, input.OpenIDConnectProviderArn, input.ClientID)
        return {}
      },
    },
    RemoveClientIDFromOpenIDConnectProvider: {
      resource,
      handle: async ({ input, principal: { account } }) => {
        await providers.removeClientId(account, input.OpenIDConnectProviderArn, input.ClientID)
        return {}
      },
    },
    UpdateOpenIDConnectProviderThumbprint: {
      resource,
      handle: async ({ input, principal: { account } }) => {
        await providers.putThumbprints(account, input.OpenIDConnectProviderArn, input.ThumbprintList)
        return {}
      },
    },
    TagOpenIDConnectProvider: {
      resource,
      conditions: tagConditions,
      handle: async ({ input, principal: { account } }) => {
        await providers.addTags(account, input.OpenIDConnectProviderArn, readTags(input.Tags))
        return {}
      },
    },
    UntagOpenIDConnectProvider: {
      resource,
      conditions: tagConditions,
      handle: async ({ input, principal: { account } }) => {
        await providers.removeTags(account, input.OpenIDConnectProviderArn, input.TagKeys)
        return {}
      },
    },
    ListOpenIDConnectProviderTags: {
      resource,
      handle: async ({ input, principal: { account } }) => {
        const { arn, tags } = await providers.get(account, input.OpenIDConnectProviderArn)
        return tagPage(input, ['ListOpenIDConnectProviderTags', arn], tags)
      },
    },
  } satisfies Partial<Handlers<Operations>>
}
