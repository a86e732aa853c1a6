/** Another registry that replicates to a running Lading, request by request, with the credentials of one principal. */
import assert from 'node:assert/strict'
import { ECR } from '@aws-sdk/client-ecr'
import { type Image, manifestsOf } from './images/build.ts'
import { type Answer, type Call, type OciClient, openOciClient } from './oci-client.ts'
import type { Credentials, RunningServer } from './server.ts'

export interface Peer extends AsyncDisposable {
  /** Sends the token of the principal for the registry, and the header of a replication. */
  call(method: string, path: string, call?: Call): Promise<Answer>
  /** The same without the header. */
  plainly(method: string, path: string): Promise<Answer>
  /** Pushes an image with all that it refers to, as another Lading does. Answers the last PUT. */
  replicate(repository: string, image: Image, options?: ReplicaOptions): Promise<Answer>
  putManifest(repository: string, image: Image, options?: ReplicaOptions & { reference?: string }): Promise<Answer>
}

export interface ReplicaOptions {
  readonly tag?: string
  /** When the source had the push. */
  readonly pushedAt?: number
  readonly region?: string
}

export const sourceRegion = 'eu-north-1'

/** The principal's token is for the registry of the server. */
export async function openPeer(
  server: RunningServer,
  credentials: Credentials,
  { region = sourceRegion }: { readonly region?: string } = {},
): Promise<Peer> {
  const ecr = new ECR({ endpoint: server.url, region: server.region, credentials })
  const { authorizationData } = await ecr.getAuthorizationToken({ registryIds: [server.account] })
  ecr.destroy()
  const authorization = `Basic ${authorizationData?.[0]?.authorizationToken}`
  const client: OciClient = await openOciClient(server)
  const call: Peer['call'] = (method, path, { headers, body } = {}) =>
    client.call(method, path, {
      headers: { authorization, 'lading-source-region': region, ...headers },
      ...(body !== undefined && { body }),
    })
  const putManifest: Peer['putManifest'] = (repository, image, { tag, pushedAt, region, reference } = {}) =>
    call('PUT', `/v2/${repository}/manifests/${tag ?? reference ?? image.digest}`, {
      headers: {
        ...{ 'content-type': image.mediaType, 'lading-pushed-at': String(pushedAt ?? Date.now()) },
        ...(region !== undefined && { 'lading-source-region': region }),
      },
      body: image.bytes,
    })
  return {
    call,
    plainly: (method, path) => client.call(method, path, { headers: { authorization } }),
    putManifest,
    async replicate(repository, image, options = {}) {
      let last: Answer | undefined
      for (const manifest of manifestsOf(image)) {
        for (const blob of manifest.blobs) {
          const path = `/v2/${repository}/blobs/${blob.digest}`
          if ((await call('HEAD', path)).status === 200) continue
          const upload = await call('POST', `/v2/${repository}/blobs/uploads/`)
          assert.equal(upload.status, 202, upload.message)
          const done = await call('PUT', `${upload.headers.location}?digest=${blob.digest}`, { body: blob.bytes })
          assert.equal(done.status, 201, done.message)
        }
        const { tag: _, ...rest } = options
        last = await putManifest(repository, manifest, manifest === image ? options : rest)
        assert.equal(last.status, 201, last.message)
      }
      assert.ok(last !== undefined)
      return last
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
}
