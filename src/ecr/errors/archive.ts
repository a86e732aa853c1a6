import type { Exceptions } from '#aws/exceptions.ts'
import type { ErrorName } from '#ecr/model.ts'
import type { RegistryRefusals } from '#registry/refusals.ts'
import { registryTexts } from '#wording/registry.ts'

type Refusals = Pick<RegistryRefusals, 'ImageArchived' | 'ImageNotArchivable' | 'ImageInUse'>

/** What is declined of images for the sake of the archive. */
export const archiveExceptions = {
  ImageArchived: [
    'ImageArchivedException',
    ({ digest, repository, registry }) =>
      `The image with digest '${digest}' in the repository with name '${repository}' in the registry with id '${registry.account}' is archived`,
  ],
  ImageNotArchivable: ['ImageStorageClassUpdateNotSupportedException', registryTexts.ImageReferencedByIndex],
  // A deletion says so of each image for itself.
  ImageInUse: ['ImageStorageClassUpdateNotSupportedException', registryTexts.ImageInUse],
} as const satisfies Exceptions<Refusals, ErrorName>
