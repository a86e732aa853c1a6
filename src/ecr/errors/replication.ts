import type { Exceptions } from '#aws/exceptions.ts'
import type { ErrorName } from '#ecr/model.ts'
import type { ReplicationRefusals } from '#replication/refusals.ts'
import { invalid } from './invalid.ts'

const member = 'replicationConfiguration'

/** What replication declines. */
export const replicationExceptions = {
  ReplicationRegionUnknown: [
    'InvalidParameterException',
    ({ region }) => invalid(member, `Invalid destination region ${region}`),
  ],
  ReplicationToItself: [
    'InvalidParameterException',
    () => invalid(member, 'Replication destination cannot be the same as the source registry'),
  ],
  ReplicationDestinationsTooMany: [
    'InvalidParameterException',
    ({ limit }) => invalid(member, `Replication rules must not have more than ${limit} unique destinations`),
  ],
  // Failures of single images, of which no request hears. ECR tells their codes nowhere: these are names of exceptions.
  ReplicationAccountMissing: [
    'AccessDeniedException',
    ({ account }) => `The account ${account} does not exist here, and no peer serves its registry`,
  ],
  ReplicatedManifestDamaged: [
    'ServerException',
    ({ digest }) => `The manifest with digest ${digest} is damaged at the source. Push it again.`,
  ],
  ReplicatedBlobMissing: [
    'LayersNotFoundException',
    ({ digest }) => `The layer with digest ${digest} is damaged at the source. Push it again.`,
  ],
} as const satisfies Exceptions<ReplicationRefusals, ErrorName | 'AccessDeniedException'>
