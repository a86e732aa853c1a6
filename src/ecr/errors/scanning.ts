import type { Exceptions } from '#aws/exceptions.ts'
import type { ErrorName } from '#ecr/model.ts'
import type { ScanningRefusals } from '#scanning/refusals.ts'
import { invalid } from './invalid.ts'

/** What scanning declines. */
export const scanningExceptions = {
  ScanFrequencyUnavailable: [
    'InvalidParameterException',
    ({ type, available }) =>
      invalid('scanFrequency', `must be one of [${available.join(', ')}] when scanType is set as ${type}`),
  ],
  ScanFrequencyRepeated: [
    'InvalidParameterException',
    ({ frequency }) => invalid('rules', `must not have more than one rule with scanFrequency ${frequency}`),
  ],
  ScanNotStartable: ['ValidationException', () => 'This feature is disabled'],
  // The one exception of the model that says of an image which exists that it cannot be scanned.
  ScannerMissing: [
    'UnsupportedImageTypeException',
    ({ query, repository, registry }) =>
      `The image with digest '${query.digest}' in the repository with name '${repository}' in the registry with id '${registry.account}' cannot be scanned: this version of Lading has no scanner`,
  ],
  ScanNotFound: [
    'ScanNotFoundException',
    ({ query, repository, registry }) =>
      `Image scan does not exist for the image with '{imageDigest:'${query.digest ?? 'null'}', imageTag:'${query.tag ?? 'null'}'}' in the repository with name '${repository}' in the registry with id '${registry.account}'`,
  ],
} as const satisfies Exceptions<ScanningRefusals, ErrorName>
