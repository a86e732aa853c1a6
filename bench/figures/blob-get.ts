import { createHash } from 'node:crypto'
import { Connection } from '../harness/connection.ts'
import { type Comparison, timed } from '../harness/figure.ts'
import { expectStatus, pushBlob, repeatedNoise, requestHead } from '../harness/requests.ts'

const sizeBytes = 256 * 1024 * 1024
const getsInRound = 6
/** As large as a read gets, so that the client is not what limits. */
const readBytes = 1024 * 1024

/** A large layer on its way out, by one connection. */
export const blobGet: Comparison = {
  name: 'blob-get',
  title: 'blob GET, 256 MiB',
  unit: 'bytes',
  rounds: 7,
  target: 1.2,
  async prepare(server) {
    const repository = 'bench/blob-get'
    await server.createRepository(repository)
    const lane = await Connection.open(server.port, readBytes)
    const bytes = repeatedNoise(sizeBytes)
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    await pushBlob(lane, server, repository, { digest, bytes })
    const request = requestHead(server, 'GET', `/v2/${repository}/blobs/${digest}`)

    const served = createHash('sha256')
    await lane.exchange(request, (piece) => void served.update(piece))
    if (`sha256:${served.digest('hex')}` !== digest) throw new Error('other bytes were served than were pushed')

    return () =>
      timed(async () => {
        let amount = 0
        for (let get = 0; get < getsInRound; get++) amount += expectStatus(await lane.exchange(request), 200).bodyBytes
        return amount
      })
  },
}
