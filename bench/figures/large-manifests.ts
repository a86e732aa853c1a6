import { manifestLimitBytes } from '#registry/manifest.ts'
import { manifestLimits, mostReferences } from '#registry/manifest-json.ts'
import { image } from '#test/support/images/build.ts'
import { digest } from '#test/support/images/content.ts'
import { Connection } from '../harness/connection.ts'
import type { Limit } from '../harness/figure.ts'
import { startLading } from '../harness/lading.ts'
import { holdsEnvironment, leastHold } from '../harness/longest-hold.ts'
import { expectStatus, pushImage, requestHead } from '../harness/requests.ts'

const repository = 'bench/large-manifests'
const refusedMembers = 300_000

/**
 * The longest time that one PUT of a manifest holds a server's event loop: of the largest that are allowed, and of 4 MiB that are refused.
 * The client sends each three times, and the least of the three counts: a longer one has a garbage collection in it.
 */
export const largeManifests: Limit = {
  name: 'large-manifests',
  title: 'longest hold of the event loop, one PUT of a manifest',
  unit: 'ms',
  atMost: 120,
  async measure() {
    await using server = await startLading({ environment: holdsEnvironment })
    await server.createRepository(repository)
    using connection = await Connection.open(server.port)
    const base = image({ layers: [1_000] })
    await pushImage(connection, server, { repository, tag: 'base', image: base })
    let longest = 0
    for (const [what, { status, make }] of Object.entries(cases)) {
      const hold = await leastHold(server.folder, what, async (round) => {
        const body = make({ ...JSON.parse(base.bytes.toString()), seed: round })
        const headers = { 'Content-Type': base.mediaType, 'Content-Length': body.byteLength }
        const head = requestHead(server, 'PUT', `/v2/${repository}/manifests/large`, headers)
        expectStatus(await connection.upload(head, body), status)
      })
      longest = Math.max(longest, hold)
    }
    return longest
  },
}

interface Case {
  readonly status: 201 | 400
  readonly make: (manifest: object) => Buffer
}

const cases: Readonly<Record<string, Case>> = {
  'allowed, all references and entries': { status: 201, make: fullManifest },
  'allowed, 4 MiB of escapes': { status: 201, make: (manifest) => filled(manifest, '"', 2) },
  'refused, annotations': { status: 400, make: (manifest) => encode({ ...manifest, annotations: manyMembers() }) },
  'refused, members': { status: 400, make: (manifest) => encode({ ...manifest, ...manyMembers() }) },
  'refused, lists': { status: 400, make: (manifest) => encode({ ...manifest, x: Array(1_300_000).fill([]) }) },
}

function encode(manifest: object): Buffer {
  return Buffer.from(JSON.stringify(manifest))
}

/** Foreign layers, which need not be pushed, with about as many members as a manifest may have. */
function fullManifest(manifest: object): Buffer {
  const urls = Array<string>(Math.floor(manifestLimits.entries / mostReferences) - 6).fill('https://example.com/layer')
  const layers = Array.from({ length: mostReferences }, (_, at) => ({
    mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
    digest: digest(Buffer.from(`${at}`)),
    size: 1,
    urls,
  }))
  return filled({ ...manifest, layers }, 'x', 1)
}

/** With one annotation that makes it 4 MiB. JSON writes the character with so many bytes. */
function filled(manifest: object, character: string, bytes: number): Buffer {
  const room = manifestLimitBytes - encode({ ...manifest, annotations: { fill: '' } }).byteLength
  return encode({ ...manifest, annotations: { fill: character.repeat(Math.floor(room / bytes)) } })
}

function manyMembers(): Record<string, string> {
  return Object.fromEntries(Array.from({ length: refusedMembers }, (_, at) => [`k${at}`, '']))
}
