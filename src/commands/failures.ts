// Everything that goes wrong with a command, in one line for the person who typed it. What no refusal, setting or system
// explains is a mistake of this program, and shows its stack.

import type { BackupRefusals } from '#backup/refusals.ts'
import { SettingError } from '#config/setting-error.ts'
import { exceptions } from '#iamapi/errors.ts'
import type { JobRefusals } from '#jobs/refusals.ts'
import { Refusal } from '#lib/refusal.ts'
import type { NameRefusals } from '#names/refusals.ts'
import type { RegistryRefusals } from '#registry/refusals.ts'
import { registryTexts } from '#wording/registry.ts'
import { CommandError } from './command.ts'

type Refusals = BackupRefusals &
  JobRefusals &
  NameRefusals &
  Pick<RegistryRefusals, 'RepositoryNotFound' | 'ImageNotFound'>

/** Of identities, keys and policies what the API of IAM says; here the rest of what commands meet. */
const texts: { readonly [Code in keyof Refusals]: (facts: Refusals[Code]) => string } = {
  BackupPlaceTaken: ({ path, found }) =>
    `${path} holds ${JSON.stringify(found)}: expected an empty folder, that of an earlier backup, or a new name of an archive`,
  BackupUnderWay: ({ path }) => `another backup into ${path} is under way: let it end, or name another folder`,
  BlobsMissing: ({ count, first }) =>
    `${count} blobs and more are missing from the store, ${first} the first of them: expected the blobs of this database (--blobs)`,
  BackupIncomplete: ({ path, problem }) => `${path} is no complete backup: ${problem}`,
  BackupNewer: ({ what }) => `the backup was written by a newer version of Lading: this one does not know ${what}`,
  BackupDamaged: ({ what }) => `the backup is damaged: ${what} is not what was written`,
  TargetUnfit: ({ reason }) =>
    reason === 'used'
      ? 'the database holds something already: expected one that nobody has used'
      : 'the database has a newer schema than the backup: expected one that nobody has used',
  SecretKeyDiffers: () =>
    "the secret key at hand is not the one that the backup's secrets are sealed with: expected that one, or none and a backup that was made --with-secret-key",
  JobNotFound: ({ id }) => `there is no job ${id}: those that are over are kept for a week`,
  JobNotRetryable: ({ id, state }) => `job ${id} is ${state}: expected one that failed, was cancelled or waits`,
  JobNotCancellable: ({ id, state }) => `job ${id} is ${state}: expected one that waits`,
  ScheduleNotFound: ({ name, known }) => `there is no schedule ${JSON.stringify(name)}: there are ${known.join(', ')}`,
  NameInvalid: ({ kind, value }) => `${JSON.stringify(value)} is no ${kind}`,
  RepositoryNotFound: registryTexts.RepositoryNotFound,
  ImageNotFound: ({ query: { tag, digest }, repository }) =>
    `there is no image ${[tag && `with tag ${tag}`, digest && `with digest ${digest}`].filter(Boolean).join(' and ')} in ${repository}`,
}

/** The line, or `undefined` for what nobody expected. */
export function describeFailure(error: unknown): string | undefined {
  if (error instanceof Refusal) return describeRefusal(error)
  const expected = error instanceof CommandError || error instanceof SettingError || isOfSystem(error)
  // Where a name has several addresses, Node's error has a code and no message.
  return expected ? (error.message || String('code' in error && error.code)).replaceAll(/\s*\n\s*/g, ' ') : undefined
}

/** The tables are keyed by code, and `refuse` lets no refusal exist whose facts do not fit its code. */
function describeRefusal({ code, facts }: Refusal): string | undefined {
  if (Object.hasOwn(texts, code)) return texts[code as keyof Refusals](facts as never)
  if (Object.hasOwn(exceptions, code)) return exceptions[code as keyof typeof exceptions][1](facts as never)
  return undefined
}

/** Of the operating system, SQLite or PostgreSQL: they have a code, and the mistakes of a program have none. */
function isOfSystem(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code !== 'ERR_ASSERTION'
}
