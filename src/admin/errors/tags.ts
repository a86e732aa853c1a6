import type { ErrorName } from '#admin/model.ts'
import type { TagRefusals } from '#admin/refusals.ts'
import type { Exceptions } from '#aws/exceptions.ts'
import type { RegistryRefusals, RollbackRefusals } from '#registry/refusals.ts'
import { registryTexts } from '#wording/registry.ts'
import { invalid } from './invalid.ts'

type Refusals = TagRefusals & RollbackRefusals & Pick<RegistryRefusals, 'TagImmutable' | 'QuotaExceeded'>

export const tagExceptions: Exceptions<Refusals, ErrorName> = {
  RollbackAmbiguous: [
    'InvalidParameterException',
    () => invalid('at', 'An image digest and a time must not both be given'),
  ],
  TimeAhead: [
    'InvalidParameterException',
    ({ at, now }) =>
      invalid('at', `The time ${new Date(at).toISOString()} is ahead: it is ${new Date(now).toISOString()} now`),
  ],
  TagHistoryMissing: [
    'TagHistoryNotFoundException',
    ({ tag, repository, at }) =>
      at === undefined
        ? `The tag '${tag}' in the repository '${repository}' has pointed to no other image, as far as is known. Give a digest, or a time: ListTagMoves tells what it has pointed to.`
        : `The tag '${tag}' in the repository '${repository}' pointed to no image at ${new Date(at).toISOString()}, as far as is known. ListTagMoves tells what it has pointed to, and since when.`,
  ],
  TagNeverPointedTo: [
    'TagHistoryNotFoundException',
    ({ tag, repository, digest }) =>
      `The tag '${tag}' in the repository '${repository}' has never pointed to '${digest}', as far as is known. ListTagMoves tells what it has pointed to.`,
  ],
  RollbackImageUnavailable: [
    'ImageUnavailableException',
    ({ tag, repository, digest, state }) =>
      `The image '${digest}', to which the tag '${tag}' pointed in the repository '${repository}', ${remedies[state]}`,
  ],
  TagImmutable: ['ImageTagAlreadyExistsException', registryTexts.TagImmutable],
  QuotaExceeded: ['LimitExceededException', registryTexts.QuotaExceeded],
}

const remedies = {
  archived: 'is archived. Restore it first: UpdateImageStorageClass with the target storage class STANDARD.',
  'in recycle bin': 'was deleted and is in the recycle bin. Restore it first: lading recycle-bin restore.',
  gone: 'was deleted and is gone for good. Push it again.',
} as const satisfies Record<RollbackRefusals['RollbackImageUnavailable']['state'], string>
