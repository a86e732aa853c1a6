// Which connections are served. Each may need a second descriptor, for the file that it reads or writes. Without a bound, silent
// connections use up all descriptors, and clients that are connected already get no file any more.

import { BlockList, isIPv6, type Server, type Socket } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { Logger } from 'pino'
import { RefusedConnections } from './refused-connections.ts'

export interface ConnectionLimits {
  readonly maxConnections: number
  /** Of one client's address; of the 64 bits that name its network, if it is an IPv6 address. */
  readonly connectionsPerAddress: number
}

/** For the database, the log, its workers, and what jobs have open. */
const reservedDescriptors = 96
const fewestConnections = 8

/** How many connections leave a descriptor to each for a file. */
export function maxConnectionsOf(descriptors: number | undefined): number {
  if (descriptors === undefined) return Number.POSITIVE_INFINITY
  return Math.max(fewestConnections, Math.floor((descriptors - reservedDescriptors) / 2))
}

export class Connections {
  readonly #limits: ConnectionLimits
  readonly #exempt: (address: string) => boolean
  readonly #refused: RefusedConnections
  #open = 0
  #onDrained = () => {}
  readonly #openByAddress = new Map<string, number>()

  /** Connections of a trusted proxy count in all, and not by its address: they are many clients'. */
  constructor(limits: ConnectionLimits, trustedProxies: readonly string[], log: Logger) {
    this.#limits = limits
    this.#exempt = rangesOf(trustedProxies)
    this.#refused = new RefusedConnections(log)
  }

  watch(server: Server): void {
    server.on('connection', (socket: Socket) => this.#admit(socket))
  }

  /** Resolves once none is open. */
  async drained(): Promise<void> {
    if (this.#open === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onDrained = resolve
    await promise
  }

  #admit(socket: Socket): void {
    const { maxConnections, connectionsPerAddress } = this.#limits
    const address = Number.isFinite(connectionsPerAddress) ? this.#countedAddress(socket) : undefined
    const ofAddress = address === undefined ? 0 : (this.#openByAddress.get(address) ?? 0)
    if (this.#open >= maxConnections || ofAddress >= connectionsPerAddress) {
      this.#refused.note({ open: this.#open, ...this.#limits, remote: socket.remoteAddress })
      socket.destroy()
      return
    }
    this.#open++
    if (address !== undefined) this.#openByAddress.set(address, ofAddress + 1)
    socket.once('close', () => {
      this.#open--
      if (this.#open === 0) this.#onDrained()
      if (address === undefined) return
      const left = (this.#openByAddress.get(address) ?? 1) - 1
      if (left > 0) this.#openByAddress.set(address, left)
      else this.#openByAddress.delete(address)
    })
  }

  #countedAddress({ remoteAddress }: Socket): string | undefined {
    if (remoteAddress === undefined || !ipaddr.isValid(remoteAddress) || this.#exempt(remoteAddress)) return undefined
    // An IPv4 address in IPv6 notation, as a socket for both families shows it, becomes that IPv4 address.
    const address = ipaddr.process(remoteAddress)
    return address instanceof ipaddr.IPv6 ? address.parts.slice(0, 4).join(':') : address.toString()
  }
}

function rangesOf(texts: readonly string[]): (address: string) => boolean {
  const ranges = new BlockList()
  for (const text of texts) {
    const [address = '', prefix] = text.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (prefix === undefined) ranges.addAddress(address, family)
    else ranges.addSubnet(address, Number(prefix), family)
  }
  return (address) => ranges.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}
