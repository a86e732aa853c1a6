/** The client for peers, as a test of it needs it. */
import { systemClock } from '#lib/clock.ts'
import { createPeerRemotes, type PeerRemotesParts } from '#remote/peers.ts'
import type { PeerAddress } from '#remote/registry.ts'

export function connectPeer(peer: PeerAddress, parts: Partial<PeerRemotesParts> = {}) {
  const remotes = createPeerRemotes({ clock: systemClock, silenceMs: 2000, ...parts })
  return { ...remotes.connect(peer), [Symbol.asyncDispose]: () => remotes[Symbol.asyncDispose]() }
}

/** Yields a blob in pieces, and throws at `breakAt`, after a pause in which the other side reads. */
export async function* piecesOf(bytes: Uint8Array, breakAt = Number.POSITIVE_INFINITY) {
  for (let at = 0; at < bytes.byteLength; at += pieceBytes) {
    if (at >= breakAt) {
      await new Promise((resolve) => setTimeout(resolve, 1000))
      throw new Error('broken')
    }
    yield bytes.subarray(at, at + pieceBytes)
  }
}

const pieceBytes = 100_000
