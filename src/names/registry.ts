import type { AccountId } from './account.ts'
import type { Region } from './region.ts'

/** A private registry is one (account, region) pair, and needs no creation (ECR user guide, "Registries"). */
export interface Registry {
  readonly account: AccountId
  readonly region: Region
}

export function isSameRegistry(one: Registry, other: Registry): boolean {
  return one.account === other.account && one.region === other.region
}
