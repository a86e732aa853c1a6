import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import type { Registry } from '#names/registry.ts'
import type * as wire from './model.ts'

/** @throws Refusal `NameInvalid` */
export function readDestination({ registryId, region }: wire.ReplicationDestination): Registry {
  return { account: parseAccountId(registryId), region: parseRegion(region) }
}

export function describeRegistry({ account, region }: Registry): wire.ReplicationDestination {
  return { registryId: account, region }
}
