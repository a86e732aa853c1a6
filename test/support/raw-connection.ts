import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A bare TCP connection to a server on 127.0.0.1, to say what no HTTP client would. */
export interface RawConnection extends AsyncDisposable {
  readonly socket: Socket
  /** Everything received so far. */
  received(): string
  /** Resolves once what was received holds that text. */
  receive(text: string): Promise<void>
  readonly closed: Promise<void>
}

export async function openRawConnection(port: number): Promise<RawConnection> {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  socket.setEncoding('latin1')
  socket.on('data', (chunk) => {
    received += String(chunk)
  })
  // A reset ends the connection as well as an orderly close does.
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await once(socket, 'connect')
  return {
    socket,
    received: () => received,
    async receive(text) {
      while (!received.includes(text)) {
        if (socket.destroyed) throw new Error(`closed after ${JSON.stringify(received)}`)
        await new Promise<void>((resolve) => socket.once('data', () => resolve()).once('close', () => resolve()))
      }
    },
    closed,
    async [Symbol.asyncDispose]() {
      socket.destroy()
      await closed
    },
  }
}
