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
} as const satisfies Exceptions<ReplicationRefusals, ErrorName>
