import { image } from '#test/support/images/build.ts'
import { Connection } from '../harness/connection.ts'
import { type Comparison, type Round, repeatedly, timed } from '../harness/figure.ts'
import { expectStatus, pushImage, requestHead } from '../harness/requests.ts'
import type { Server } from '../harness/server.ts'

const connections = 16
const roundMs = 1_500

/** What every pull begins with, and what clusters ask for again and again. */
export const manifestGet: Comparison = {
  name: 'manifest-get',
  title: 'manifest GET by tag',
  unit: 'requests',
  rounds: 7,
  target: 8,
  prepare: (server) => prepare(server, server),
}

/** The same with the token of a user, whose policies are evaluated. */
export const manifestGetByUser: Comparison = {
  ...manifestGet,
  name: 'manifest-get-user',
  title: 'manifest GET by tag, by a user',
  target: 10,
  prepare: async (server) => prepare(server, await server.asUser()),
}

async function prepare(server: Server, puller: Server): Promise<Round> {
  const repository = 'bench/manifest-get'
  const pushed = image({ layers: [1_000, 1_000, 1_000, 1_000, 1_000] })
  await server.createRepository(repository)
  const lanes = await Promise.all(Array.from({ length: connections }, () => Connection.open(server.port)))
  if (lanes[0]) await pushImage(lanes[0], server, { repository, tag: 'v1', image: pushed })
  const request = requestHead(puller, 'GET', `/v2/${repository}/manifests/v1`, { Accept: pushed.mediaType })

  const get = async (lane: Connection) => {
    const { bodyBytes } = expectStatus(await lane.exchange(request), 200)
    if (bodyBytes !== pushed.bytes.length) throw new Error(`a manifest of ${bodyBytes} bytes`)
  }
  return () => timed(() => repeatedly(lanes, roundMs, get))
}
