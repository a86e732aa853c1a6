import type { ErrorName } from '#admin/model.ts'
import type { Exceptions } from '#aws/exceptions.ts'
import type { ReplicationWorkRefusals } from '#replication/refusals.ts'

export const replicationExceptions: Exceptions<ReplicationWorkRefusals, ErrorName> = {
  ReplicationDestinationNotFound: [
    'ReplicationDestinationNotFoundException',
    ({ source, destination }) =>
      `No replication rule of the registry '${source.account}' in ${source.region} names the destination '${destination.account}/${destination.region}'`,
  ],
  ReplicationRulesMissing: [
    'ReplicationRulesNotFoundException',
    ({ source }) => `The registry '${source.account}' in ${source.region} has no replication rules`,
  ],
  ReplicationRunNotFound: [
    'ReplicationRunNotFoundException',
    ({ id }) => `The registry has no replication run '${id}'`,
  ],
  ReplicationRunFinished: [
    'ReplicationRunFinishedException',
    ({ id, state }) => `The replication run '${id}' is over: its status is ${state}`,
  ],
  ReplicationRunUnderWay: [
    'ReplicationRunInProgressException',
    ({ id, destination }) =>
      `The replication run '${id}' to '${destination.account}/${destination.region}' is under way: follow it, or cancel it first`,
  ],
}
