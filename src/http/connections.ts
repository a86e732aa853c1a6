// Which connections are served. Each may need a second descriptor, for the file that it reads or writes. Without a bound, silent
// connections use up all descriptors, and clients that are connected already get no file any more.

import type { Server, Socket } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { Logger } from 'pino'
import { addressRanges, networkOf } from '#lib/address-ranges.ts'
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
    this.#exempt = addressRanges(trustedProxies)
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
    return networkOf(remoteAddress)
  }
}
