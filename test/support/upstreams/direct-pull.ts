import assert from 'node:assert/strict'
import type { Image } from '#test/support/images/build.ts'
import type { Hub } from './hub.ts'

/** How many seconds a client needs that pulls `latest` from the stand-in itself. */
export async function pullDirectly(hub: Hub, name: string, pulled: Image): Promise<number> {
  const startedAt = performance.now()
  const scope = encodeURIComponent(`repository:${name}:pull`)
  const answer = await fetch(`${hub.url}/token?service=registry.docker.io&scope=${scope}`)
  // The stand-in's own answer.
  const { token } = (await answer.json()) as { token: string }
  for (const path of ['manifests/latest', ...pulled.blobs.map((blob) => `blobs/${blob.digest}`)]) {
    const response = await fetch(`${hub.url}/v2/${name}/${path}`, { headers: { authorization: `Bearer ${token}` } })
    assert.equal(response.status, 200)
    for await (const _ of response.body ?? []);
  }
  return (performance.now() - startedAt) / 1000
}
