import { connect } from 'node:net'

/**
 * Pulls by a bare socket that discards what comes, in memory that all such clients share. Resolves with the bytes of the answer's body once
 * the server closes the connection.
 */
export function pullAndDiscard(port: number, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let head = ''
    let bodyBytes = -1
    const socket = connect({
      port,
      host: '127.0.0.1',
      onread: {
        buffer: shared,
        callback(count, buffer) {
          if (bodyBytes >= 0) bodyBytes += count
          else {
            head += Buffer.from(buffer.subarray(0, count)).toString('latin1')
            const end = head.indexOf('\r\n\r\n')
            if (end >= 0) bodyBytes = head.length - end - 4
          }
          return true
        },
      },
    })
    socket.on('error', reject).on('close', () => resolve(bodyBytes))
    socket.write(`GET ${path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n`)
  })
}

const shared = Buffer.allocUnsafe(256 * 1024)
