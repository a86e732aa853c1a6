import type { LookupAddress } from 'node:dns'
import { Resolver } from 'node:dns/promises'
import type { LookUp } from './guarded-lookup.ts'

const timeoutMs = 2_500
const tries = 2

/**
 * A look-up by DNS alone, for names that callers choose. The operating system's look-up holds a thread, and all of the process share two of
 * those. Name servers of a caller that never answer would keep the process from every other name.
 */
export function createDnsLookUp(servers?: readonly string[]): LookUp {
  const resolver = new Resolver({ timeout: timeoutMs, tries })
  if (servers !== undefined) resolver.setServers(servers)
  return async (hostname) => {
    const [v4, v6] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)])
    const found: LookupAddress[] = [...addressesOf(v4, 4), ...addressesOf(v6, 6)]
    if (found.length === 0) throw Object.assign(new Error('the name has no address'), { code: 'ENOTFOUND' })
    return found
  }
}

function addressesOf(result: PromiseSettledResult<readonly string[]>, family: 4 | 6): LookupAddress[] {
  return result.status === 'fulfilled' ? result.value.map((address) => ({ address, family })) : []
}
