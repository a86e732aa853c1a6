import type { Writable } from 'node:stream'

/** Resolves when the destination needs the piece's memory no more. */
export function flushed(destination: Writable, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    // A response whose connection goes may never call back for what it still queued; 'close' it always emits.
    const onClose = () => reject(new Error('the destination closed before all was sent'))
    destination.once('close', onClose)
    destination.write(piece, (error) => {
      destination.off('close', onClose)
      if (error) reject(error)
      else resolve()
    })
  })
}
