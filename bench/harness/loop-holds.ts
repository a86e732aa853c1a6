/**
 * Loaded into a server by `--import`: measures how long the event loop was held at a time. A timer runs each millisecond that the
 * loop is free. The processor time of the main thread between two runs is one hold, however busy the machine is.
 * A connection to the socket in the working folder reads the longest hold, in milliseconds, since the connection before it.
 */
import { createServer } from 'node:net'
import { holdsSocket } from './longest-hold.ts'

let longestMicros = 0
let before = micros()

setInterval(() => {
  const now = micros()
  longestMicros = Math.max(longestMicros, now - before)
  before = now
}, 1)

createServer((socket) => {
  socket.end(String(longestMicros / 1000))
  longestMicros = 0
}).listen(holdsSocket)

function micros(): number {
  const { user, system } = process.threadCpuUsage()
  return user + system
}
