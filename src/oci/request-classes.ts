import type { RequestClass } from '#lib/request-class.ts'
import type { Family } from './url.ts'

/** As what requests of the data plane are counted. */
const classes = {
  ping: classOf('ping'),
  manifestRead: classOf('manifest-read'),
  manifestWrite: classOf('manifest-write'),
  blobRead: classOf('blob-read'),
  blobWrite: classOf('blob-write'),
  list: classOf('list'),
} as const

/** Those that are refused before it is known what they ask for, such as the first of each client, which asks for a challenge. */
export const unknownRequest: RequestClass = classOf('other')

const reads: { readonly [F in Family]: RequestClass } = {
  ...{ base: classes.ping, catalog: classes.list, tags: classes.list, referrers: classes.list },
  ...{ manifest: classes.manifestRead, blob: classes.blobRead },
  ...{ uploads: classes.blobWrite, upload: classes.blobWrite },
}

export function requestClassOf(family: Family, method: string): RequestClass {
  if (method === 'GET' || method === 'HEAD') return reads[family]
  return family === 'manifest' ? classes.manifestWrite : classes.blobWrite
}

function classOf(operation: string): RequestClass {
  return { surface: 'oci', operation }
}
