import type { ReplicationDestination } from '#admin/model.ts'
import type { Wire } from '#commands/api/client.ts'
import { CommandError } from '#commands/command.ts'
import { isAccountId } from '#names/account.ts'
import { isRegion } from '#names/region.ts'

type Destination = Wire<ReplicationDestination>

export const destinationOption = [
  '--destination <account/region>',
  'only this registry, such as 000000000000/eu-west-1',
] as const

/** @throws CommandError */
export function readDestination(text: string): Destination {
  const [account = '', region = '', ...rest] = text.split('/')
  if (isAccountId(account) && isRegion(region) && rest.length === 0) return { registryId: account, region }
  throw new CommandError(`${JSON.stringify(text)} is no registry: expected one such as 000000000000/eu-west-1`)
}

export function printDestination({ registryId, region }: Destination): string {
  return `${registryId}/${region}`
}

/** The command did what it was asked for, and both sides are not the same. A failure of the command itself ends with 1. */
export function exitWithFaults(): void {
  process.exitCode = 2
}
