import { type Digest, isDigest } from '#names/digest.ts'
import { isRepositoryName, type RepositoryName } from '#names/repository-name.ts'
import { CommandError } from './command.ts'

/** @throws CommandError for a text that no repository can have for its name */
export function readRepositoryName(text: string): RepositoryName {
  if (isRepositoryName(text)) return text
  throw new CommandError(
    `${JSON.stringify(text)} is no name of a repository: expected lower-case letters and digits, such as team/app, without a host or a tag`,
  )
}

/** @throws CommandError */
export function readDigest(text: string): Digest {
  if (isDigest(text)) return text
  throw new CommandError(`${JSON.stringify(text)} is no digest: expected sha256: and 64 digits of 0 to 9 and a to f`)
}
