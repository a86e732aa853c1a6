import { createHash } from 'node:crypto'
import { Connection } from '../harness/connection.ts'
import type { Limit } from '../harness/figure.ts'
import { startLading } from '../harness/lading.ts'
import { pushBlob, repeatedNoise } from '../harness/requests.ts'
import { peakResidentMb } from '../harness/usage.ts'

const uploads = 8
const sizeBytes = 1e9

/** What memory the server needs while eight uploads of 1 GB run at once: their size must not matter. Takes 8 GB of disk. */
export const parallelUploads: Limit = {
  name: 'parallel-uploads',
  title: 'eight uploads of 1 GB at once',
  unit: 'MB',
  atMost: 250,
  full: true,
  async measure() {
    await using server = await startLading()
    const bytes = repeatedNoise(sizeBytes)
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    await server.createRepository('bench/parallel-uploads')
    await Promise.all(
      Array.from({ length: uploads }, async () => {
        using lane = await Connection.open(server.port)
        await pushBlob(lane, server, 'bench/parallel-uploads', { digest, bytes })
      }),
    )
    return peakResidentMb(server.pid)
  },
}
