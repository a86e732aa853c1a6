import type { ErrorName } from '#admin/model.ts'
import type { RecycleBinAskRefusals } from '#admin/refusals.ts'
import type { Exceptions } from '#aws/exceptions.ts'
import type { RecycleBinRefusals } from '#registry/recycle-bin/refusals.ts'
import type { RegistryRefusals } from '#registry/refusals.ts'
import { registryTexts } from '#wording/registry.ts'
import { invalid } from './invalid.ts'

type Refusals = RecycleBinRefusals &
  RecycleBinAskRefusals &
  Pick<
    RegistryRefusals,
    'QuotaExceeded' | 'ReferencedBlobsMissing' | 'ReferencedManifestsMissing' | 'RepositoryAlreadyExists'
  >

export const recycleBinExceptions: Exceptions<Refusals, ErrorName> = {
  DeletedImageNotFound: [
    'DeletedImageNotFoundException',
    ({ digest, repository }) =>
      `The recycle bin of the repository with name '${repository}' has no image with digest '${digest}': it was not deleted, or is gone for good.`,
  ],
  DeletedRepositoryNotFound: [
    'DeletedRepositoryNotFoundException',
    ({ repository, id }) =>
      `The recycle bin has no repository with name '${repository}'${id === undefined ? '' : ` and id ${id}`}: it was not deleted, or is gone for good.`,
  ],
  PurgeAmbiguous: [
    'InvalidParameterException',
    () => invalid('ImageDigest', 'Either an image digest or all must be provided, and not both'),
  ],
  QuotaExceeded: ['LimitExceededException', registryTexts.QuotaExceeded],
  ReferencedBlobsMissing: [
    'LayersNotFoundException',
    ({ digests }) =>
      `Layers that the image needs are gone for good, so that it cannot be restored: ${digests.join(', ')}`,
  ],
  ReferencedManifestsMissing: [
    'ReferencedImagesNotFoundException',
    ({ digests }) =>
      `Images that the index refers to are gone for good, so that it cannot be restored: ${digests.slice(0, 10).join(', ')}`,
  ],
  RepositoryAlreadyExists: [
    'RepositoryAlreadyExistsException',
    ({ repository }) =>
      `A repository with name '${repository}' exists by now: delete it first, which puts it into the recycle bin as well.`,
  ],
}
