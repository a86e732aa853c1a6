import type { Server } from 'node:http'
import { Socket } from 'node:net'

/** Node's object for a TCP connection, as it passes between processes. Node has no public type for it. */
export type ConnectionHandle = object

/** Node's servers keep the option as a property, which its types leave out. */
function isHalfOpen(server: Server & { readonly allowHalfOpen?: boolean }): boolean {
  return server.allowHalfOpen ?? false
}

/** Readies a server that does not listen: node:http watches the deadlines of its connections only after this event. */
export function expectConnections(server: Server): void {
  server.emit('listening')
}

/** Serves a connection that another process accepted, with the socket options that a listening server of node:http sets. */
export function serveAccepted(server: Server, handle: ConnectionHandle, highWaterMark: number): void {
  const options = {
    handle,
    // Of node:http true and of node:https false, as their own connections have it: a TLS handshake sees no half-closed end.
    allowHalfOpen: isHalfOpen(server),
    readableHighWaterMark: highWaterMark,
    writableHighWaterMark: highWaterMark,
  }
  // The type does not know that Node takes a handle here, as its own servers give it.
  const socket = new Socket(options as object)
  socket.setNoDelay(true)
  server.emit('connection', socket)
}
