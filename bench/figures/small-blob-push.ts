import { createHash, randomBytes } from 'node:crypto'
import { Connection } from '../harness/connection.ts'
import { type Comparison, repeatedly, timed } from '../harness/figure.ts'
import { pushBlob } from '../harness/requests.ts'

const connections = 8
const roundMs = 1_500
const sizeBytes = 1024

/** Many small blobs, such as configurations and signatures: the price of a push apart from its bytes. */
export const smallBlobPush: Comparison = {
  name: 'small-blob-push',
  title: 'blob push, 1 KiB, 8 at once',
  unit: 'blobs',
  rounds: 5,
  async prepare(server) {
    const repository = 'bench/small-blob-push'
    await server.createRepository(repository)
    const lanes = await Promise.all(Array.from({ length: connections }, () => Connection.open(server.port)))
    const push = (lane: Connection) => {
      const bytes = randomBytes(sizeBytes)
      const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
      return pushBlob(lane, server, repository, { digest, bytes })
    }
    return () => timed(() => repeatedly(lanes, roundMs, push))
  },
}
