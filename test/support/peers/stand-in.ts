/** A registry in memory that a test makes misbehave: what it answers to some requests, the test says. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { digest } from '#test/support/images/content.ts'

export interface StandIn extends AsyncDisposable {
  readonly url: string
  /** `METHOD path`, without the query. */
  readonly asked: readonly string[]
  /** Bytes of bodies that arrived. */
  readonly bytes: number
  /** By `repository digest`. */
  readonly blobs: ReadonlyMap<string, Buffer>
  /** Manifests by `repository reference`. */
  readonly manifests: ReadonlyMap<string, Buffer>
}

export interface StandInRequest {
  readonly method: string
  readonly url: URL
  readonly raw: IncomingMessage
  readonly response: ServerResponse
  /** The whole body. */
  readonly read: () => Promise<Buffer>
  /** Answers without a body. */
  readonly answer: (status: number, headers?: Readonly<Record<string, string>>) => void
}

interface Named {
  readonly digest: string
}

/** Answers a request and returns true, or leaves it to the registry. */
export type Misbehaviour = (request: StandInRequest, standIn: StandIn) => boolean | Promise<boolean>

export async function startStandIn(misbehave: Misbehaviour = () => false): Promise<StandIn> {
  const asked: string[] = []
  const blobs = new Map<string, Buffer>()
  const manifests = new Map<string, Buffer>()
  const uploads = new Map<string, Buffer>()
  let bytes = 0

  async function serve({ method, url, read, answer }: StandInRequest): Promise<void> {
    const { pathname, searchParams } = url
    const [, repository = '', last = ''] =
      /^\/v2\/(.*?)\/(?:manifests|blobs|blobs\/uploads)\/([^/]*)$/.exec(pathname) ?? []
    const key = `${repository} ${last}`
    if (pathname.includes('/manifests/')) {
      if (method === 'PUT') {
        const body = await read()
        const { config, layers } = JSON.parse(body.toString()) as { config: Named; layers: Named[] }
        if ([config, ...layers].some((each) => !blobs.has(`${repository} ${each.digest}`))) return answer(400)
        manifests.set(key, body)
        manifests.set(`${repository} ${digest(body)}`, body)
        return answer(201)
      }
      const found = manifests.get(key)
      if (found === undefined) return answer(404)
      const type = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }
      return answer(200, { ...type, 'docker-content-digest': digest(found), 'content-length': String(found.length) })
    }
    if (method === 'HEAD') return answer(blobs.has(key) ? 200 : 404)
    if (method === 'POST') {
      const id = String(uploads.size)
      uploads.set(id, Buffer.alloc(0))
      return answer(202, { location: `${pathname}${id}`, range: '0-0' })
    }
    const held = uploads.get(last)
    if (held === undefined) return answer(404)
    const whole = Buffer.concat([held, await read()])
    uploads.set(last, whole)
    if (method === 'PUT') {
      const wanted = searchParams.get('digest') ?? ''
      if (digest(whole) !== wanted) return answer(400)
      blobs.set(`${repository} ${wanted}`, whole)
      return answer(201)
    }
    answer(method === 'GET' ? 204 : 202, { location: pathname, range: `0-${Math.max(0, whole.length - 1)}` })
  }

  const server = createServer((raw, response) => {
    const url = new URL(raw.url ?? '', 'http://stand-in')
    const method = raw.method ?? ''
    asked.push(`${method} ${url.pathname}`)
    raw.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    raw.pause()
    const request: StandInRequest = {
      ...{ method, url, raw, response },
      read: async () => Buffer.concat(await Array.fromAsync(raw as AsyncIterable<Buffer>)),
      answer: (status, headers = {}) => {
        response.writeHead(status, headers).end()
        raw.resume()
      },
    }
    const run = async () => {
      if (!(await misbehave(request, standIn))) await serve(request)
    }
    run().catch(() => raw.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const standIn: StandIn = {
    url: `http://127.0.0.1:${port}`,
    ...{ asked, blobs, manifests },
    get bytes() {
      return bytes
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return standIn
}
