import { isObject } from '#lib/json.ts'
import type { Shape } from '#names/manifest-types.ts'
import { invalid, type Json } from './manifest-json.ts'

/**
 * What ECR's PutImage asks beyond the data plane: a member must be there with a value of its type. Its callers write the manifest
 * themselves, and an error helps them more than a guess.
 */

/** The list that a manifest of the shape must have. */
const requiredLists: Record<Shape, string | undefined> = {
  image: 'layers',
  index: 'manifests',
  artifact: undefined,
  schema1: 'fsLayers',
}

const neverNull = ['mediaType', 'artifactType', 'config', 'layers', 'manifests', 'fsLayers']
const neverEmpty = ['mediaType', 'config', 'layers', 'manifests', 'fsLayers', 'blobs', 'subject', 'annotations']

/** @throws Refusal `ManifestInvalid` */
export function requireAllGiven(json: Json, shape: Shape): void {
  for (const member of neverNull) if (json[member] === null) throw invalid(member, 'must not be null')
  for (const member of neverEmpty) if (json[member] === '') throw invalid(member, 'must not be empty')
  const list = requiredLists[shape]
  if (list !== undefined && json[list] === undefined) throw invalid(list, 'must be an array')
  for (const member of ['config', 'subject']) requireDescriptor(json[member], member)
  for (const member of ['layers', 'manifests', 'blobs']) {
    const descriptors = json[member]
    if (!Array.isArray(descriptors)) continue
    descriptors.forEach((descriptor, index) => {
      requireDescriptor(descriptor, `${member}[${index}]`)
    })
  }
  const { annotations } = json
  if (!isObject(annotations)) return
  for (const [key, value] of Object.entries(annotations)) {
    if (value === null) throw invalid(`annotations.${key}`, 'must be a string')
  }
}

function requireDescriptor(value: unknown, path: string): void {
  if (!isObject(value)) return
  if (typeof value.mediaType !== 'string' || value.mediaType === '') {
    throw invalid(`${path}.mediaType`, 'must be a media type')
  }
  if (typeof value.size !== 'number') throw invalid(`${path}.size`, 'must be a number of bytes')
}
