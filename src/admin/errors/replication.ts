import type { ErrorName } from '#admin/model.ts'
import type { Exceptions } from '#aws/exceptions.ts'
import type { ReplicationWorkRefusals } from '#replication/refusals.ts'

export const replicationExceptions: Exceptions<
  Pick<ReplicationWorkRefusals, 'ReplicationDestinationNotFound'>,
  ErrorName
> = {
  ReplicationDestinationNotFound: [
    'ReplicationDestinationNotFoundException',
    ({ source, destination }) =>
      `No replication rule of the registry '${source.account}' in ${source.region} names the destination '${destination.account}/${destination.region}'`,
  ],
}
