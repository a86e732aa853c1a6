import type { Handlers } from '#aws/operation.ts'
import { isDigest } from '#names/digest.ts'
import { isTag } from '#names/tag.ts'
import type { ImageDetail, ImageQuery, ImageStatusFilter, TagStatus } from '#registry/image.ts'
import type { ImageLists } from '#registry/image-lists.ts'
import type { Repositories } from '#registry/repositories.ts'
import type { RepositoryKey } from '#registry/repository.ts'
import { readImageQuery } from './image-ids.ts'
import type { ImageIdentifier, ListImagesFilter, Operations } from './model.ts'
import { openPage, refusePaging } from './paging.ts'
import { repositoryKey, repositoryResource } from './request.ts'
import { describeImage, describeImageId } from './shapes.ts'

/** Which images there are, and what they are like. */
export interface ImageListParts {
  readonly repositories: Repositories
  readonly imageLists: ImageLists
}

export function imageListOperations({ repositories, imageLists }: ImageListParts) {
  return {
    ListImages: {
      resource: repositoryResource,
      handle: async (request) => {
        const key = repositoryKey(request)
        const filter = readFilter(request.input.filter)
        const page = openPage(request.input, ['ListImages', key, filter], [isDigest, isTagOrNone])
        const [digest = '', tag] = page.after ?? []
        const { items, next } = await imageLists.list(key, {
          ...filter,
          limit: page.limit,
          after: page.after && { digest, tag },
        })
        return {
          imageIds: items.map(describeImageId),
          nextToken: page.nextToken(next && [next.digest, next.tag ?? '']),
        }
      },
    },

    DescribeImages: {
      resource: repositoryResource,
      handle: async (request) => {
        const { input } = request
        const key = repositoryKey(request)
        if (input.imageIds !== undefined) {
          refusePaging(input, 'imageIds')
          // Asked for by name, an archived image is described like any other.
          const filter = readFilter(input.filter, 'ANY')
          const named = await describeNamed(key, input.imageIds)
          return {
            imageDetails: named.filter((image) => passes(filter, image)).map((image) => describeImage(key, image)),
          }
        }
        const filter = readFilter(input.filter)
        const page = openPage(input, ['DescribeImages', key, filter], [isDigest])
        const [digest] = page.after ?? []
        const { items, next } = await imageLists.describe(key, {
          ...filter,
          limit: page.limit,
          after: digest === undefined ? undefined : { digest },
        })
        return {
          imageDetails: items.map((image) => describeImage(key, image)),
          nextToken: page.nextToken(next && [next]),
        }
      },
    },
  } satisfies Handlers<Operations, 'ListImages' | 'DescribeImages'>

  async function describeNamed(key: RepositoryKey, imageIds: readonly ImageIdentifier[]): Promise<ImageDetail[]> {
    const queries: ImageQuery[] = []
    for (const imageId of imageIds) queries.push(await readImageQuery(repositories, key, imageId, 'imageIds'))
    return imageLists.describeAll(key, queries)
  }
}

interface Filter {
  readonly tagStatus: TagStatus
  readonly status: ImageStatusFilter
}

function readFilter(
  { tagStatus = 'ANY', imageStatus }: ListImagesFilter = {},
  otherwise: Filter['status'] = 'ACTIVE',
): Filter {
  return { tagStatus, status: imageStatus ?? otherwise }
}

function passes({ tagStatus, status }: Filter, image: ImageDetail): boolean {
  if (status !== 'ANY' && status !== image.status) return false
  return tagStatus === 'ANY' || (tagStatus === 'TAGGED') === image.tags.length > 0
}

/** The second half of a line's key; an untagged image has none. */
function isTagOrNone(text: string): boolean {
  return text === '' || isTag(text)
}
