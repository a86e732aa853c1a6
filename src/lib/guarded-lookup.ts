import type { LookupAddress, LookupOptions } from 'node:dns'
import type { LookupFunction } from 'node:net'

/** No address of the name may be connected to. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused'
}

export type LookUp = (hostname: string, options: LookupOptions) => Promise<LookupAddress[]>

/**
 * A look-up for sockets that drops each address that `admits` refuses. The decision is about the very address that is connected
 * to: a name may resolve to another one each time that it is looked up.
 */
export function guardedLookup(admits: (address: string) => boolean, lookUp: LookUp): LookupFunction {
  return (hostname, options, callback) => {
    lookUp(hostname, options).then(
      (found) => {
        const admitted = found.filter((each) => admits(each.address))
        const [first] = admitted
        if (first === undefined) callback(new AddressRefused('its address may not be reached'), '')
        else if (options.all) callback(null, admitted)
        else callback(null, first.address, first.family)
      },
      (error) => callback(error, ''),
    )
  }
}
