import { type Image, image, index, rewritten } from './build.ts'

/** Images that other registries hold: members that are null, empty or missing, where the specification asks for a value. */
export function oddImages(): readonly (readonly [what: string, image: Image])[] {
  let seed = 0
  const app = () => image({ seed: `odd ${++seed}` })
  const withoutLayers = (layers: null | undefined): Image => {
    const { blobs, ...rest } = app()
    return rewritten({ ...rest, blobs: blobs.slice(0, 1) }, { layers })
  }
  return [
    ['an image with null for layers', withoutLayers(null)],
    ['an image without layers', withoutLayers(undefined)],
    ['an index with null for manifests', rewritten(index({ children: [] }), { manifests: null })],
    ['an index without manifests', rewritten(index({ children: [] }), { manifests: undefined })],
    ['an image with empty text for its media type', rewritten(app(), { mediaType: '' })],
    ['an image with null for its media type', rewritten(app(), { mediaType: null })],
    ['an image with null for its artifact type', rewritten(app(), { artifactType: null })],
    ['an image with null for manifests', rewritten(app(), { manifests: null })],
    [
      'an index with null for layers and config',
      rewritten(index({ children: [app()] }), { layers: null, config: null }),
    ],
  ]
}
