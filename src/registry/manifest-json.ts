import { findJsonFlaw, isObject, type JsonFlaw, type JsonObject } from '#lib/json.ts'
import type { Refusal } from '#lib/refusal.ts'
import { refuse } from './refusals.ts'

/**
 * From the bytes of a manifest to its members, so that all clients see the same manifest in one text. What one reader would
 * understand in another way than the next is refused: repeated members, and members in another case.
 */
export type Json = JsonObject

/** Real images have fewer than two hundred layers, and indexes a few hundred children. SQL allows some more parameters in a statement. */
export const mostReferences = 4_000

/**
 * What a manifest may hold, which the scan checks before the text becomes objects: parsing 300,000 members holds the event loop for a
 * second. So many entries are fifteen for each of the most references. Annotations are members of one object.
 */
export const manifestLimits = { entries: 60_000, members: 1_000, depth: 64 } as const

export function invalid(path: string, problem: string): Refusal {
  return refuse('ManifestInvalid', { path, problem })
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @throws Refusal `ManifestInvalid` */
export function parseManifestJson(body: Uint8Array): Json {
  const text = decode(body)
  const flaw = findJsonFlaw(text, manifestLimits, plainNames)
  if (flaw !== undefined) throw refuseFlaw(flaw)
  const json = parse(text)
  if (!isObject(json)) throw invalid('', 'must be a JSON object')
  refuseOtherCase(json, manifestMembers)
  return json
}

function decode(body: Uint8Array): string {
  try {
    return utf8.decode(body)
  } catch {
    throw invalid('', 'must be JSON')
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw invalid('', 'must be JSON')
  }
}

function refuseFlaw(found: JsonFlaw): Refusal {
  switch (found.flaw) {
    case 'repeated':
      return invalid(found.name, 'must stand in its object only once')
    case 'escaped':
      return invalid(found.name, 'must be written without escapes')
    case 'entries':
      return invalid('', `must have at most ${found.limit} members and list entries in all`)
    case 'members':
      return invalid('', `must have at most ${found.limit} members in one object, such as its annotations`)
    case 'depth':
      return invalid('', `must have at most ${found.limit} objects and lists within one another`)
  }
}

/**
 * A member, or `undefined` if the manifest does not give it. Null, absent and empty text are the same: registries hold manifests with
 * each of them, and clients written in Go read them alike (`encoding/json`, `omitempty`).
 */
export function given(json: Json, member: string): unknown {
  const value = json[member]
  return value === null || value === '' ? undefined : value
}

interface Members {
  readonly exact: ReadonlySet<string>
  readonly byFold: ReadonlyMap<string, string>
}

function members(...names: readonly string[]): Members {
  return { exact: new Set(names), byFold: new Map(names.map((name) => [foldCase(name), name])) }
}

const manifestMembers = members(
  ...['schemaVersion', 'mediaType', 'artifactType', 'config', 'layers', 'manifests', 'blobs', 'fsLayers'],
  ...['subject', 'annotations'],
)

export const descriptorMembers = members(
  ...['mediaType', 'digest', 'size', 'urls', 'data', 'platform', 'artifactType', 'annotations'],
)

export const platformMembers = members('architecture', 'os', 'os.version', 'os.features', 'variant', 'features')

export const schema1LayerMembers = members('blobSum')

/**
 * Names that must be written without escapes. V8 14.6 reads the name `\u006cayers` as its first six characters once it has read an
 * object that has these in the same place, so the layers would be missing.
 */
const plainNames: ReadonlySet<string> = new Set([
  ...manifestMembers.exact,
  ...descriptorMembers.exact,
  ...schema1LayerMembers.exact,
])

/**
 * Clients written in Go read `Layers` as `layers` (encoding/json prefers an exact match and accepts any case), so one text would have
 * other layers for them than for this registry.
 */
export function refuseOtherCase(json: Json, { exact, byFold }: Members, prefix: string = ''): void {
  for (const name of Object.keys(json)) {
    if (exact.has(name)) continue
    const meant = byFold.get(foldCase(name))
    if (meant !== undefined) throw invalid(`${prefix}${name}`, `must be written '${meant}'`)
  }
}

/** Through capitals, because two letters beyond ASCII are cases of `k` and `s` too. */
function foldCase(name: string): string {
  return name.toUpperCase().toLowerCase()
}
