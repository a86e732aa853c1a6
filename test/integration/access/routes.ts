/**
 * Every endpoint of the data plane as authorization sees it. A family of URLs that is missing here does not compile; a method of
 * one is missed by the test that asks the server which there are.
 */
import type { Method } from '#oci/call.ts'
import type { Family } from '#oci/url.ts'
import { layerDigest } from './operations.ts'

export interface RouteCase {
  readonly resource: 'repository' | 'repository/*'
  readonly path: (repositoryName: string) => string
  /** All of these, and of each any one. */
  readonly actions: readonly (readonly [string, ...string[]])[]
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const upload = '00000000-0000-4000-8000-000000000000'

const at = (rest: string) => ({
  ...({ resource: 'repository' } as const),
  path: (repositoryName: string) => `/v2/${repositoryName}/${rest}`,
})
const manifests = [at('manifests/v1'), at(`manifests/${layerDigest}`)]
const manifestBody = { headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }, body: '{}' }
const blob = at(`blobs/${layerDigest}`)
const session = at(`blobs/uploads/${upload}`)

export const routes: { readonly [F in Family]: { readonly [M in Method]?: readonly RouteCase[] } } = {
  base: { GET: [{ resource: 'repository/*', path: () => '/v2/', actions: [] }] },
  catalog: {
    GET: [{ resource: 'repository/*', path: () => '/v2/_catalog', actions: [['ecr:DescribeRepositories']] }],
  },
  tags: { GET: [{ ...at('tags/list'), actions: [['ecr:ListImages']] }] },
  manifest: {
    GET: manifests.map((each) => ({ ...each, actions: [['ecr:BatchGetImage']] })),
    HEAD: manifests.map((each) => ({ ...each, actions: [['ecr:BatchGetImage']] })),
    PUT: manifests.map((each) => ({ ...each, ...manifestBody, actions: [['ecr:PutImage']] })),
    DELETE: [at('manifests/none'), at(`manifests/${layerDigest}`)].map((each) => {
      return { ...each, actions: [['ecr:BatchDeleteImage']] }
    }),
  },
  blob: {
    GET: [{ ...blob, actions: [['ecr:GetDownloadUrlForLayer']] }],
    HEAD: [{ ...blob, actions: [['ecr:BatchCheckLayerAvailability', 'ecr:GetDownloadUrlForLayer']] }],
    DELETE: [{ ...blob, actions: [['ecr:BatchDeleteImage']] }],
  },
  referrers: {
    GET: [{ ...at(`referrers/${layerDigest}`), actions: [['ecr:ListImageReferrers', 'ecr:BatchGetImage']] }],
  },
  uploads: {
    POST: [
      { ...at('blobs/uploads/'), actions: [['ecr:InitiateLayerUpload']] },
      { ...at(`blobs/uploads/?mount=${layerDigest}&from=team/base`), actions: [['ecr:InitiateLayerUpload']] },
    ],
  },
  upload: {
    PATCH: [{ ...session, body: 'x', actions: [['ecr:UploadLayerPart']] }],
    PUT: [
      {
        ...at(`blobs/uploads/${upload}?digest=${layerDigest}`),
        actions: [['ecr:CompleteLayerUpload'], ['ecr:UploadLayerPart']],
      },
    ],
    GET: [{ ...session, actions: [['ecr:UploadLayerPart']] }],
    DELETE: [{ ...session, actions: [['ecr:UploadLayerPart']] }],
  },
}
