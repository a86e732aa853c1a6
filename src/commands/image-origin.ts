import type { RepositoryName } from '#names/repository-name.ts'
import { isTag } from '#names/tag.ts'
import { type ApiCall, type Command, CommandError } from './command.ts'
import { readDigest, readRepositoryName } from './names.ts'
import { time } from './output.ts'

/** Of the groups `image` and `cache`. */
export const originCommand = {
  name: 'origin',
  over: 'api',
  description: 'show whether a client pushed an image, or from which registry or upstream it came, and when',
  arguments: [['<image>', '<repository>:<tag> or <repository>@<digest>']],
  example: 'lading image origin team/app:v1',
  run: showOrigin,
} as const satisfies Command

async function showOrigin(call: ApiCall): Promise<void> {
  const [text = ''] = call.arguments
  const [name = '', digest] = text.split('@')
  const image = { ...readRepository(name), ...(digest !== undefined && { imageDigest: readDigest(digest) }) }
  if (digest === undefined && image.imageTag === undefined) {
    throw new CommandError(
      `${JSON.stringify(text)} names no image: expected <repository>:<tag> or <repository>@<digest>`,
    )
  }
  const answer = await call.api.call('DescribeImageOrigin', image)
  call.output.show({
    ...{ repository: answer.repositoryName, digest: answer.imageDigest, tags: answer.imageTags },
    ...{ origin: answer.origin.toLowerCase(), pushedAt: timeText(answer.pushedAt) },
    ...{ sourceAccount: answer.sourceRegistryId, sourceRegion: answer.sourceRegion },
    replicatedAt: timeText(answer.replicatedAt),
    ...{ upstream: answer.upstreamRegistryUrl, upstreamRepository: answer.upstreamRepositoryName },
    ...{ fetchedAt: timeText(answer.fetchedAt), lastCheckedAt: timeText(answer.lastCheckedAt) },
  })
}

/** A repository, with a tag or without. @throws CommandError */
export function readRepository(text: string): { readonly repositoryName: RepositoryName; readonly imageTag?: string } {
  const at = text.indexOf(':')
  if (at === -1) return { repositoryName: readRepositoryName(text) }
  const [repository, tag] = [text.slice(0, at), text.slice(at + 1)]
  if (!isTag(tag)) throw new CommandError(`${JSON.stringify(tag)} is no tag`)
  return { repositoryName: readRepositoryName(repository), imageTag: tag }
}

/** AWS JSON has times in seconds. */
function timeText(at: number | undefined): string | undefined {
  return at === undefined ? undefined : time(Math.round(at * 1_000))
}
