/** The links of GetDownloadUrlForLayer: without credentials, for one blob, for an hour. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GetDownloadUrlForLayerCommand } from '@aws-sdk/client-ecr'
import { image } from '#test/support/images/build.ts'
import { pushImage } from '#test/support/push.ts'
import { eachServerInCi, expect } from './world.ts'

let minutesLater = 0

eachServerInCi(
  'download links',
  (world) => {
    const stranger = (method: string, path: string, headers = {}) =>
      world.call(method, path, { headers: { authorization: undefined, ...headers } })

    async function linked() {
      const repositoryName = await world.repository()
      const app = image({ seed: `links ${repositoryName}`, layers: [1_000, 2_000] })
      await pushImage(world.client.registry, repositoryName, app, '1.0')
      const [, layer, other] = app.blobs
      assert.ok(layer !== undefined && other !== undefined)
      const command = new GetDownloadUrlForLayerCommand({ repositoryName, layerDigest: layer.digest })
      const { downloadUrl = '' } = await world.client.ecr.send(command)
      const url = new URL(downloadUrl)
      assert.equal(url.origin, world.server.url)
      return { name: repositoryName, app, layer, other, path: url.pathname + url.search, url }
    }

    test('a link gives its blob to whoever holds it, whole and in parts', async () => {
      const { layer, path } = await linked()
      assert.ok(expect(await stranger('GET', path), 200).body.equals(layer.bytes))
      expect(await stranger('HEAD', path), 200)
      const part = expect(await stranger('GET', path, { range: 'bytes=10-19' }), 206)
      assert.ok(part.body.equals(layer.bytes.subarray(10, 20)))
    })

    test('a link opens nothing else', async () => {
      const { name, app, layer, other, path, url } = await linked()
      const elsewhere = await linked()
      for (const wanted of [
        `/v2/${name}/blobs/${other.digest}`,
        `/v2/${elsewhere.name}/blobs/${elsewhere.layer.digest}`,
        `/v2/${elsewhere.name}/blobs/${layer.digest}`,
        `/v2/${name}/manifests/${app.digest}`,
        `/v2/${name}/tags/list`,
        '/v2/_catalog',
        '/v2/',
      ]) {
        expect(await stranger('GET', wanted + url.search), 403, 'DENIED')
      }
      for (const method of ['DELETE', 'PUT', 'POST', 'PATCH']) expect(await stranger(method, path), 401, 'UNAUTHORIZED')
    })

    test('a link that was changed in any place is none', async () => {
      const { path, url } = await linked()
      const link = url.searchParams.get('link') ?? ''
      const parts = link.split('.')
      for (let at = 0; at < parts.length; at++) {
        const changed = parts.map((part, index) => {
          if (index !== at) return part
          return (part.startsWith('1') || part.startsWith('a') ? '2' : '1') + part.slice(1)
        })
        const answer = await stranger('GET', path.replace(link, changed.join('.')))
        expect(answer, 403, 'DENIED')
        assert.match(answer.message, /aws ecr get-download-url-for-layer/)
      }
      for (const bad of ['', 'x', '....', parts.slice(0, -1).join('.')]) {
        expect(await stranger('GET', `${url.pathname}?link=${bad}`), 403, 'DENIED')
      }
      expect(await stranger('GET', url.pathname), 401, 'UNAUTHORIZED')
    })

    test('a link is good for an hour', async (t) => {
      const { path } = await linked()
      t.after(() => {
        minutesLater = 0
      })
      minutesLater = 59
      expect(await stranger('GET', path), 200)
      minutesLater = 61
      expect(await stranger('GET', path), 403, 'DENIED')
    })

    test('credentials that are given count, and not the link', async () => {
      const { path } = await linked()
      expect(await stranger('GET', path, { authorization: 'Basic eDp5' }), 401, 'UNAUTHORIZED')
    })
  },
  { clock: () => Date.now() + minutesLater * 60_000 },
)
