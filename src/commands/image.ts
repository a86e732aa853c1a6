import { everyPage } from '#lib/every-page.ts'
import { isTag } from '#names/tag.ts'
import type { ImageDetail } from '#registry/image.ts'
import { createImageLists } from '#registry/image-lists.ts'
import { type Call, CommandError, type CommandGroup } from './command.ts'
import { originCommand } from './image-origin.ts'
import { type Fields, onePage, pageSize, shownPages, time } from './output.ts'
import { foundRepository, openRegistry } from './repositories.ts'

export const imageCommands: CommandGroup = {
  name: 'image',
  description: 'images of a repository',
  commands: [
    {
      name: 'list',
      description: 'list what a repository holds, the archive included, by digest',
      arguments: [['<repository>', 'its name']],
      options: [['--tags <tag...>', 'only the images that these tags name']],
      settings: ['account', 'region'],
      example: 'lading image list team/app --tags v1 latest',
      run: listImages,
    },
    originCommand,
  ],
}

async function listImages(call: Call): Promise<void> {
  const opened = await openRegistry(call)
  const repository = await foundRepository(opened, call.arguments[0] ?? '')
  const lists = createImageLists(opened.deployment)
  const read = (digest?: string) =>
    lists.describe(repository, {
      tagStatus: 'ANY',
      status: 'ANY',
      limit: pageSize,
      after: digest === undefined ? undefined : { digest },
    })
  const { tags } = call.options
  const asked = Array.isArray(tags)
    ? onePage((await lists.describeAll(repository, tags.map(readTag))).map(imageFields))
    : shownPages(everyPage(read), imageFields)
  await call.output.list('images', asked, ['digest', 'tags', 'sizeBytes', 'pushedAt', 'pulledAt', 'status'])
}

function readTag(tag: string) {
  if (!isTag(tag)) throw new CommandError(`${JSON.stringify(tag)} is no tag`)
  return { tag }
}

function imageFields({ digest, tags, mediaType, artifactType, subject, ...image }: ImageDetail): Fields {
  return {
    digest,
    tags,
    mediaType,
    artifactType,
    subject,
    sizeBytes: image.sizeBytes,
    pushedAt: time(image.pushedAt),
    pulledAt: time(image.pulledAt),
    status: image.status,
  }
}
