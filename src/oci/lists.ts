import { parseDigest } from '#names/digest.ts'
import { mediaTypes } from '#names/manifest-types.ts'
import type { Referrer, Referrers } from '#registry/referrers.ts'
import type { Repositories } from '#registry/repositories.ts'
import type { Tags } from '#registry/tags.ts'
import { type FamilyRoutes, nextLink, parseCount, parseText, pullerOf, repositoryOf, shownNameOf } from './call.ts'

/** ECR's largest page (API reference, `maxResults`); also the default here, since few clients of tags/list follow its links. */
const mostEntries = 1_000
/** ECR's largest page of referrers is 50. An answer must stay below the 4 MiB of an index. */
const mostReferrers = 50

/** `/v2/<name>/tags/list` (distribution specification, "Listing Tags"): in lexical order, `last` a tag that need not exist. */
export function tagRoutes({ tags }: { tags: Tags }): FamilyRoutes<'tags'> {
  return {
    GET: {
      actions: [['ecr:ListImages']],
      async handle(call) {
        const name = shownNameOf(call)
        const limit = parseCount(call.query, mostEntries)
        const { items, next } = await tags.list(repositoryOf(call), {
          limit,
          after: parseText(call.query, 'last'),
        })
        if (next !== undefined) call.reply.header('link', nextLink(call, `/v2/${name}/tags/list`, limit, next))
        return call.reply.send({ name, tags: items })
      },
    },
  }
}

/** `/v2/_catalog`: the repositories of the registry, by name. */
export function catalogRoutes({ repositories }: { repositories: Repositories }): FamilyRoutes<'catalog'> {
  return {
    GET: {
      actions: [['ecr:DescribeRepositories']],
      async handle(call) {
        const limit = parseCount(call.query, mostEntries)
        const page = { limit, after: parseText(call.query, 'last') }
        const { items, next } = await repositories.list(call.registry, page)
        if (next !== undefined) call.reply.header('link', nextLink(call, '/v2/_catalog', limit, next))
        return call.reply.send({ repositories: items.map(({ name }) => name) })
      },
    },
  }
}

/** `/v2/<name>/referrers/<digest>` (distribution specification, "Listing Referrers"): an index of what names it as subject. */
export function referrerRoutes({ referrers }: { referrers: Referrers }): FamilyRoutes<'referrers'> {
  return {
    GET: {
      actions: [['ecr:ListImageReferrers', 'ecr:BatchGetImage']],
      async handle(call) {
        const { path, query, reply } = call
        const subject = parseDigest(path.digest)
        const artifactType = parseText(query, 'artifactType')
        const limit = Math.max(parseCount(query, mostReferrers), 1)
        const page = {
          status: 'ACTIVE',
          limit,
          after: parseText(query, 'last'),
          artifactTypes: artifactType === undefined ? undefined : [artifactType],
        } as const
        const { items, next } = await referrers.list(repositoryOf(call), subject, page, pullerOf(call))
        const filter = artifactType === undefined ? undefined : { artifactType }
        if (filter !== undefined) reply.header('oci-filters-applied', 'artifactType')
        if (next !== undefined) {
          reply.header('link', nextLink(call, `/v2/${shownNameOf(call)}/referrers/${subject}`, limit, next, filter))
        }
        const manifests = items.map(describeReferrer)
        const index = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests })
        // As bytes: to a text, Fastify adds a charset that the type of an index does not have.
        return reply.header('content-type', mediaTypes.ociIndex).send(Buffer.from(index))
      },
    },
  }
}

/** As a descriptor of an index. */
function describeReferrer({ mediaType, digest, sizeBytes, artifactType, annotations }: Referrer) {
  return { mediaType, digest, size: sizeBytes, artifactType, annotations }
}
