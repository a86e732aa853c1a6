import { createHash } from 'node:crypto'
import { Connection } from '../harness/connection.ts'
import { type Comparison, timed } from '../harness/figure.ts'
import { pushBlob, repeatedNoise } from '../harness/requests.ts'

const sizeBytes = 256 * 1024 * 1024

/** A large layer on its way in: new content each time, hashed by the client before the clock starts. */
export const blobPush: Comparison = {
  name: 'blob-push',
  title: 'blob push, 256 MiB',
  unit: 'bytes',
  rounds: 7,
  target: 1.5,
  async prepare(server) {
    const repository = 'bench/blob-push'
    await server.createRepository(repository)
    const lane = await Connection.open(server.port)
    const bytes = repeatedNoise(sizeBytes)
    let pushes = 0
    return () => {
      bytes.writeUInt32LE(pushes++)
      const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
      return timed(async () => {
        await pushBlob(lane, server, repository, { digest, bytes })
        return sizeBytes
      })
    }
  },
}
