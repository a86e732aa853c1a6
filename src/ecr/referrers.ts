import type { Handlers } from '#aws/operation.ts'
import { isDigest } from '#names/digest.ts'
import type { Referrer, Referrers } from '#registry/referrers.ts'
import type { Repositories } from '#registry/repositories.ts'
import type { ImageReferrer, Operations } from './model.ts'
import { openPage } from './paging.ts'
import { pullerOf, repositoryKey, repositoryResource } from './request.ts'
import { asUpstreamFailure } from './upstream-failures.ts'

/** What refers to an image as its subject: signatures, SBOMs and the like. */
export interface ReferrerParts {
  readonly repositories: Repositories
  readonly referrers: Referrers
}

/** ECR's default here (API reference, ListImageReferrers). */
const defaultLimit = 20

export function referrerOperations({ repositories, referrers }: ReferrerParts) {
  return {
    ListImageReferrers: {
      resource: repositoryResource,
      // The API reference asks for this action, the service's records name the operation's own.
      instead: ['ecr:BatchGetImage'],
      handle: async (request) => {
        const { input } = request
        const key = repositoryKey(request)
        const subject = input.subjectId.imageDigest
        const { artifactTypes = [], artifactStatus: status = 'ACTIVE' } = input.filter ?? {}
        const scope = ['ListImageReferrers', key, subject, artifactTypes, status]
        const page = openPage(input, scope, [isDigest], defaultLimit)
        if (!isDigest(subject)) {
          // A digest to ECR's model, and that of nothing here.
          await repositories.get(key)
          return { referrers: [] }
        }
        const after = page.after?.[0]
        const { items, next } = await referrers
          .list(key, subject, { status, artifactTypes, limit: page.limit, after }, pullerOf(request))
          .catch(asUpstreamFailure('UpstreamReferrersFailed'))
        return { referrers: items.map(describeReferrer), nextToken: page.nextToken(next && [next]) }
      },
    },
  } satisfies Handlers<Operations, 'ListImageReferrers'>
}

function describeReferrer({
  digest,
  mediaType,
  artifactType,
  sizeBytes,
  annotations,
  status,
}: Referrer): ImageReferrer {
  return { digest, mediaType, artifactType, size: sizeBytes, annotations, artifactStatus: status }
}
