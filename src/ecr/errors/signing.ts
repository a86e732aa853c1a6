import type { Exceptions } from '#aws/exceptions.ts'
import type { ErrorName } from '#ecr/model.ts'
import type { SigningRefusals } from '#signing/refusals.ts'
import { invalid } from './invalid.ts'

/** What signing declines. */
export const signingExceptions = {
  SigningProfileElsewhere: [
    'InvalidParameterException',
    ({ profileArn, region }) =>
      invalid('signingProfileArn', `The signing profile ${profileArn} must be in region ${region}`),
  ],
  SigningConfigurationNotFound: [
    'SigningConfigurationNotFoundException',
    ({ registry }) => `Signing configuration does not exist in the registry with id '${registry.account}'`,
  ],
} as const satisfies Exceptions<SigningRefusals, ErrorName>
