import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { Connection } from '../harness/connection.ts'
import type { Limit } from '../harness/figure.ts'
import { startLading } from '../harness/lading.ts'
import { pushBlob, repeatedNoise, requestHead } from '../harness/requests.ts'

const descriptors = 256
const silent = 400
const openClients = 8
const getsOfClient = 50

/** Which share of blob GETs succeeds on connections that were open before others came and sent nothing. */
export const silentConnections: Limit = {
  name: 'silent-connections',
  title: 'blob GETs beside 400 silent connections',
  unit: '%',
  atLeast: 100,
  async measure() {
    await using server = await startLading({ descriptors })
    using stack = new DisposableStack()
    const repository = 'bench/silent-connections'
    await server.createRepository(repository)
    const lanes: Connection[] = []
    for (let lane = 0; lane < openClients; lane++) lanes.push(stack.use(await Connection.open(server.port)))
    const bytes = repeatedNoise(1024 * 1024)
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    const request = requestHead(server, 'GET', `/v2/${repository}/blobs/${digest}`)
    using pusher = await Connection.open(server.port)
    await pushBlob(pusher, server, repository, { digest, bytes })
    await Promise.all(lanes.map((lane) => lane.exchange(request)))

    await Promise.all(
      Array.from({ length: silent }, () => {
        const socket = stack.adopt(connect(server.port, '127.0.0.1'), (each) => each.destroy())
        // The server may close it at once.
        socket.on('error', () => {})
        return once(socket, 'connect')
      }),
    )
    let served = 0
    await Promise.all(
      lanes.map(async (lane) => {
        for (let get = 0; get < getsOfClient; get++) {
          if ((await lane.exchange(request)).status === 200) served++
        }
      }),
    )
    return (served / (openClients * getsOfClient)) * 100
  },
}
