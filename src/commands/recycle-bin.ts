import type { DeletedImage, DeletedRepository } from '#admin/model.ts'
import { parseDigest } from '#names/digest.ts'
import type { RepositoryName } from '#names/repository-name.ts'
import type { Wire } from './api/client.ts'
import { type ApiCall, CommandError, type CommandGroup, textOf } from './command.ts'
import { bytes } from './lifecycle-summary.ts'
import { readRepositoryName } from './names.ts'
import { type Fields, shownPages, time } from './output.ts'

const repository = ['<repository>', 'its name'] as const

export const recycleBinCommands: CommandGroup = {
  name: 'recycle-bin',
  description: 'images and repositories that were deleted, and can still be restored',
  commands: [
    {
      name: 'list',
      over: 'api',
      description: 'list the deleted images of a repository, the last deleted first',
      arguments: [repository],
      example: 'lading recycle-bin list team/app',
      run: listImages,
    },
    {
      name: 'restore',
      over: 'api',
      description: 'put a deleted image back, with its tags where they are free',
      arguments: [repository, ['<image>', 'its digest, or a tag that it had: the last deleted image that had it']],
      example: 'lading recycle-bin restore team/app v1',
      run: restoreImage,
    },
    {
      name: 'purge',
      over: 'api',
      description: 'take a deleted image away for good, now',
      arguments: [repository, ['[digest]', 'which']],
      options: [['--all', 'all deleted images of the repository']],
      example: 'lading recycle-bin purge team/app --all',
      run: purgeImages,
    },
    {
      name: 'repositories',
      over: 'api',
      description: 'list the deleted repositories, the last one first',
      example: 'lading recycle-bin repositories',
      run: listRepositories,
    },
    {
      name: 'restore-repository',
      over: 'api',
      description: 'put a deleted repository back, with all that it held',
      arguments: [repository],
      options: [['--id <id>', 'which of several deleted ones of the name; without it the last one']],
      example: 'lading recycle-bin restore-repository team/app',
      run: restoreRepository,
    },
  ],
}

async function listImages(call: ApiCall): Promise<void> {
  const pages = imagePages(call, readRepository(call))
  await call.output.list('images', shownPages(pages, imageFields), [
    'tags',
    { heading: 'size', cell: ({ sizeBytes }: Fields) => bytes(Number(sizeBytes)) },
    ...['deletedAt', 'purgedAt'],
    { heading: 'deletedBy', cell: ({ deletedBy, cause }: Fields) => deletedBy ?? String(cause).toLowerCase() },
    'digest',
  ])
}

async function restoreImage(call: ApiCall): Promise<void> {
  const repositoryName = readRepository(call)
  const imageDigest = await findDigest(call, repositoryName, call.arguments[1] ?? '')
  const restored = await call.api.call('RestoreDeletedImage', { repositoryName, imageDigest })
  call.output.show({
    ...{ repository: repositoryName, digest: imageDigest, images: restored.imageDigests },
    ...{ tags: restored.imageTags, tagsElsewhere: restored.takenTags },
    referrersLeft: restored.remainingReferrerDigests,
  })
  if (restored.lifecyclePolicyInForce) {
    call.output.note(
      '\nIts age counts anew: where a rule of the lifecycle policy keeps so many, it may take another image in its place.',
    )
  }
  if (restored.takenTags.length > 0) {
    call.output.note(`\nTags that point elsewhere by now stayed there: ${restored.takenTags.join(', ')}`)
  }
  if (restored.remainingReferrerDigests.length > 0) {
    call.output.note(
      '\nReferrers that cannot come back are still in the bin: restore one by its digest to be told why.',
    )
  }
}

/** @throws CommandError */
async function findDigest(call: ApiCall, repositoryName: RepositoryName, text: string): Promise<string> {
  if (text.includes(':')) return parseDigest(text)
  for await (const images of imagePages(call, repositoryName)) {
    const found = images.find(({ imageTags }) => imageTags.includes(text))
    if (found !== undefined) return found.imageDigest
  }
  throw new CommandError(`no deleted image of ${repositoryName} had the tag ${JSON.stringify(text)}`)
}

async function purgeImages(call: ApiCall): Promise<void> {
  const repositoryName = readRepository(call)
  const all = call.options.all === true
  const digest = call.arguments[1]
  if (all === (digest !== undefined)) throw new CommandError('say either a digest or --all')
  const input = digest === undefined ? { all } : { imageDigest: parseDigest(digest) }
  const { imageCount, remainingImageDigests: left } = await call.api.call('PurgeDeletedImages', {
    ...{ repositoryName, ...input },
  })
  call.output.show({ repository: repositoryName, purgedImages: imageCount, imagesLeft: all ? undefined : left })
  if (left.length > 0) {
    call.output.note('\nWhat the index referred to is not gone: the images left are there still, or in the bin.')
  }
}

async function listRepositories(call: ApiCall): Promise<void> {
  const pages = call.api.pages('ListDeletedRepositories', { maxResults: 1_000 }, (answer) => answer.repositories)
  const columns = ['repository', 'id', 'deletedAt', 'purgedAt', 'deletedBy']
  await call.output.list('repositories', shownPages(pages, repositoryFields), columns)
}

async function restoreRepository(call: ApiCall): Promise<void> {
  const repositoryName = readRepository(call)
  const deletedRepositoryId = textOf(call, 'id')
  const restored = await call.api.call('RestoreDeletedRepository', { repositoryName, deletedRepositoryId })
  call.output.show({ repository: restored.repositoryName, id: restored.deletedRepositoryId })
}

function imagePages({ api }: ApiCall, repositoryName: RepositoryName) {
  return api.pages('ListDeletedImages', { repositoryName, maxResults: 1_000 }, (answer) => answer.images)
}

/** @throws CommandError */
function readRepository(call: ApiCall): RepositoryName {
  const [name = ''] = call.arguments
  return readRepositoryName(name)
}

function imageFields(image: Wire<DeletedImage>): Fields {
  return {
    digest: image.imageDigest,
    tags: image.imageTags,
    sizeBytes: image.imageSizeInBytes,
    mediaType: image.imageManifestMediaType,
    artifactType: image.artifactMediaType,
    subject: image.subjectDigest,
    pushedAt: timeOf(image.imagePushedAt),
    deletedAt: timeOf(image.deletedAt),
    deletedBy: image.deletedBy,
    cause: image.cause,
    purgedAt: timeOf(image.purgeAt),
  }
}

function repositoryFields({ purgeAt, ...deleted }: Wire<DeletedRepository>): Fields {
  return {
    ...{ repository: deleted.repositoryName, id: deleted.deletedRepositoryId },
    ...{ deletedAt: timeOf(deleted.deletedAt), deletedBy: deleted.deletedBy, purgedAt: timeOf(purgeAt) },
  }
}

function timeOf(seconds: number): string | undefined {
  return time(Math.round(seconds * 1_000))
}
