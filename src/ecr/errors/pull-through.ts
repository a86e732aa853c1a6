import type { Exceptions } from '#aws/exceptions.ts'
import { atLeast } from '#aws/violations.ts'
import type { ErrorName } from '#ecr/model.ts'
import type { UpstreamContentRefusals, UpstreamRefusals } from '#upstream/refusals.ts'
import { upstreamTexts } from '#wording/upstream.ts'
import { invalid } from './invalid.ts'

/** More of an address says nothing. */
const shownCharacters = 300

export const pullThroughExceptions = {
  CacheRuleAlreadyExists: [
    'PullThroughCacheRuleAlreadyExistsException',
    ({ prefix, registry }) =>
      `The pull through cache rule with repository prefix '${prefix}' already exists in the registry with id '${registry.account}'`,
  ],
  CacheRuleNotFound: [
    'PullThroughCacheRuleNotFoundException',
    ({ prefix, registry }) =>
      `Pull through cache rule with repository prefix '${prefix}' does not exist in the registry with id '${registry.account}'`,
  ],
  // Literally ECR's (goharbor/harbor issue 20174).
  UpstreamUnsupported: [
    'UnsupportedUpstreamRegistryException',
    ({ url }) =>
      `The upstream registry URL ${url.slice(0, shownCharacters)} is invalid. Specify a valid upstream registry URL and try again`,
  ],
  UpstreamsForbidden: [
    'UnsupportedUpstreamRegistryException',
    ({ url }) =>
      `The upstream registry URL ${url.slice(0, shownCharacters)} is not allowed: this deployment allows no upstream registries (LADING_UPSTREAMS is none)`,
  ],
  UpstreamKindMismatch: [
    'InvalidParameterException',
    ({ upstream }) => {
      const expected = upstream === 'other' ? 'be omitted' : `be ${upstream}`
      return invalid('upstreamRegistry', `must ${expected} for the given upstreamRegistryUrl`)
    },
  ],
  // ECR's words, as far as a report quotes them (aws-controllers-k8s/community issue 2589).
  CredentialMissing: [
    'UnsupportedUpstreamRegistryException',
    () => 'The specified upstream registry requires authentication. Specify a valid Secrets Manager ARN and try again',
  ],
  CredentialElsewhere: [
    'InvalidParameterException',
    ({ registry }) =>
      invalid('credentialArn', `must be a secret of the account ${registry.account} in region ${registry.region}`),
  ],
  // As the API reference describes these exceptions.
  SecretMissing: [
    'SecretNotFoundException',
    () =>
      'The ARN of the secret specified in the pull through cache rule was not found. Update the pull through cache rule with a valid secret ARN and try again.',
  ],
  SecretUndecryptable: [
    'UnableToDecryptSecretValueException',
    () =>
      'The secret is accessible but is unable to be decrypted. It must be encrypted with the default key aws/secretsmanager. Verify the secret and try again.',
  ],
  SecretUnusable: [
    'UnableToAccessSecretException',
    () =>
      "The secret is unable to be accessed. Verify that its value is a JSON object with the texts 'username' and 'accessToken' and try again.",
  ],
  RoleMissing: [
    'InvalidParameterException',
    ({ url }) => invalid('customRoleArn', `must be given for the registry of another account, ${url}`),
  ],
  RoleInvalid: [
    'InvalidParameterException',
    ({ registry }) => invalid('customRoleArn', `must be the ARN of a role of the account ${registry.account}`),
  ],
  CacheRulePrefixTooShort: [
    'InvalidParameterException',
    ({ isUpstream }) => invalid(isUpstream ? 'upstreamRepositoryPrefix' : 'ecrRepositoryPrefix', atLeast(2)),
  ],
  RootUpstreamPrefixed: [
    'InvalidParameterException',
    () => invalid('upstreamRepositoryPrefix', 'must be ROOT when ecrRepositoryPrefix is ROOT'),
  ],
  // Of an image, BatchGetImage answers the first three as failures of that image.
  UpstreamUnavailable: ['UnableToGetUpstreamImageException', upstreamTexts.UpstreamUnavailable],
  UpstreamLimited: ['UnableToGetUpstreamImageException', upstreamTexts.UpstreamLimited],
  UpstreamDenied: ['UnableToGetUpstreamImageException', upstreamTexts.UpstreamDenied],
  UpstreamCredentialsUnusable: ['UnableToGetUpstreamImageException', upstreamTexts.UpstreamCredentialsUnusable],
  UpstreamBlobMissing: ['UnableToGetUpstreamLayerException', upstreamTexts.UpstreamBlobMissing],
} as const satisfies Exceptions<UpstreamRefusals & UpstreamContentRefusals, ErrorName>
