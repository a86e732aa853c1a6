/** Where a stand-in for a registry finds its answers: in what it holds, or at a registry that it stands in front of. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import type { HubContent } from './hub-content.ts'
import type { HubRequest } from './hub-log.ts'

export interface HubAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: AsyncIterable<Uint8Array>
}

export interface AnswerOptions {
  /** Whether it honours `Range`. */
  readonly ranges: boolean
  /** Whether it has the referrers API. */
  readonly referrers: boolean
  /** How many descriptors or tags a page has. */
  readonly pageSize: number
}

export type FindAnswer = (request: HubRequest, options: AnswerOptions) => HubAnswer | Promise<HubAnswer>

export function answerFrom(content: HubContent): FindAnswer {
  return (request, options) => {
    const { kind, repository = '', reference = '' } = request
    switch (kind) {
      case 'ping':
        return json(200, {})
      case 'manifests': {
        const found = content.manifest(repository, reference)
        if (found === undefined) return refused(404, 'MANIFEST_UNKNOWN')
        const type = { 'content-type': found.mediaType, 'docker-content-digest': found.digest }
        return bytesAnswer(found.bytes, type, undefined)
      }
      case 'blobs': {
        const found = content.blob(repository, reference)
        if (found === undefined) return refused(404, 'BLOB_UNKNOWN')
        const range = options.ranges ? request.headers.range : undefined
        return bytesAnswer(found, { 'content-type': 'application/octet-stream' }, range)
      }
      case 'tags':
        return json(200, { name: repository, tags: content.tags(repository) })
      case 'referrers':
        return options.referrers
          ? referrersPage(request, content.referrers(repository, reference), options.pageSize)
          : refused(404, 'MANIFEST_UNKNOWN')
      default:
        return refused(404, 'NAME_UNKNOWN')
    }
  }
}

/** Passes requests on without their credentials. */
export function answerFromRegistry(base: string): FindAnswer {
  return (request, { ranges }) =>
    new Promise((resolve, reject) => {
      const { authorization: _, host: __, range, ...headers } = request.headers
      const sent = httpRequest(new URL(request.path.replace(/\?e=.*$/, ''), base), {
        method: request.method,
        headers: { ...headers, ...(ranges && range !== undefined && { range }) },
      })
      sent.on('error', reject)
      sent.on('response', (response) =>
        resolve({ status: response.statusCode ?? 502, headers: plainHeaders(response.headers), body: response }),
      )
      sent.end()
    })
}

function plainHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      typeof value === 'string' && name !== 'connection' && name !== 'keep-alive' ? [[name, value]] : [],
    ),
  )
}

function referrersPage(request: HubRequest, all: readonly object[], pageSize: number): HubAnswer {
  const url = new URL(request.path, 'http://hub')
  const from = Number(url.searchParams.get('from') ?? 0)
  const next = from + pageSize
  const more = next < all.length ? { link: `<${url.pathname}?from=${next}>; rel="next"` } : {}
  const page = { schemaVersion: 2, mediaType: indexType, manifests: all.slice(from, next) }
  return bytesAnswer(Buffer.from(JSON.stringify(page)), { 'content-type': indexType, ...more }, undefined)
}

const indexType = 'application/vnd.oci.image.index.v1+json'

function refused(status: number, code: string): HubAnswer {
  return json(status, { errors: [{ code, message: code.toLowerCase() }] })
}

function json(status: number, value: object): HubAnswer {
  const body = Buffer.from(JSON.stringify(value))
  return { ...bytesAnswer(body, { 'content-type': 'application/json' }, undefined), status }
}

/** Honours `bytes=<first>-` and `bytes=<first>-<last>`. */
function bytesAnswer(bytes: Uint8Array, headers: Record<string, string>, range: string | undefined): HubAnswer {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? []
  if (first === undefined) return { status: 200, ...sized(bytes, headers) }
  const start = Number(first)
  if (start >= bytes.byteLength) {
    return { status: 416, ...sized(Buffer.alloc(0), { 'content-range': `bytes */${bytes.byteLength}` }) }
  }
  const end = last === undefined || last === '' ? bytes.byteLength : Math.min(Number(last) + 1, bytes.byteLength)
  const contentRange = `bytes ${start}-${end - 1}/${bytes.byteLength}`
  return { status: 206, ...sized(bytes.subarray(start, end), { ...headers, 'content-range': contentRange }) }
}

function sized(bytes: Uint8Array, headers: Record<string, string>): Omit<HubAnswer, 'status'> {
  return { headers: { ...headers, 'content-length': String(bytes.byteLength) }, body: pieces(bytes) }
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.byteLength; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

const pieceBytes = 64 * 1024
