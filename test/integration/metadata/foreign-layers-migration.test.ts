/** Manifests from before references to foreign layers were kept refer to theirs after the migration, also in the recycle bin. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openLoadTarget } from '#metadata/load.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { type Image, image, imageWithForeignLayer, index } from '#test/support/images/build.ts'

eachDatabase(({ dialect, emptyUrl, open }) =>
  test(`foreign layers of manifests that are stored already become references (${dialect})`, async (t) => {
    const url = await emptyUrl()
    const { image: app, layer } = imageWithForeignLayer('app')
    const { image: gone, layer: goneLayer } = imageWithForeignLayer(
      'gone',
      'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
    )
    const [plain, both] = [image({ seed: 'plain' }), index({ children: [app] })]
    const deep = index({ children: [both] })
    const stored = ({ digest, mediaType, bytes: body }: Image) => ({
      ...{ repository_id: 1, digest, media_type: mediaType, artifact_type: null, subject: null, annotations: null },
      ...{
        body,
        image_size: 7,
        pushed_at: 1,
        pulled_at: null,
        status: 'ACTIVE',
        archived_at: null,
        activated_at: null,
      },
    })
    const reference = (parent: Image, child: { digest: string; mediaType: string }, kind: string) => {
      const key = { repository_id: 1, parent: parent.digest, child: child.digest }
      return { ...key, kind, media_type: child.mediaType }
    }
    {
      await using target = await openLoadTarget(url)
      await target.load(['0014-blob-store'], async (insert) => {
        await insert('repository', [
          {
            ...{ id: 1, account: '000000000000', region: 'us-east-1', name: 'app', created_at: 1 },
            ...{ tag_mutability: 'MUTABLE', tag_mutability_exclusions: '[]', scan_on_push: 0 },
            ...{ encryption_type: 'AES256', kms_key: null, resource_tags: '{}', image_removals: 0, keep_in_use: null },
          },
        ])
        for (const { digest, bytes } of [...app.blobs, layer]) {
          await insert('blob', [{ digest, size: bytes.length, stored_at: 1, quarantined_at: null }])
          await insert('repository_blob', [{ repository_id: 1, digest, linked_at: 1 }])
        }
        for (const each of [app, plain, both, deep]) await insert('manifest', [stored(each)])
        for (const blob of app.blobs) await insert('manifest_reference', [reference(app, blob, 'layer')])
        await insert('manifest_reference', [reference(both, app, 'manifest'), reference(deep, both, 'manifest')])
        const bin = { tags: '[]', deleted_at: 1, deleted_by: '', cause: 'delete', purge_at: 2 }
        await insert('deleted_image', [{ ...stored(gone), ...bin }])
      })
    }
    const { reader } = await open(t, url)
    const kinds = async (table: 'manifest_reference' | 'deleted_image_reference') =>
      await reader.selectFrom(table).select(['parent', 'child', 'media_type']).where('kind', '=', 'foreign').execute()
    assert.deepEqual(await kinds('manifest_reference'), [
      { parent: app.digest, child: layer.digest, media_type: layer.mediaType },
    ])
    assert.deepEqual(await kinds('deleted_image_reference'), [
      { parent: gone.digest, child: goneLayer.digest, media_type: goneLayer.mediaType },
    ])
    const size = [...app.blobs, layer].reduce((sum, { bytes }) => sum + bytes.length, 0)
    const images = await reader.selectFrom('manifest').select(['digest', 'image_size']).execute()
    assert.deepEqual(
      new Map(images.map((row) => [row.digest, row.image_size])),
      new Map([
        [app.digest, size],
        [both.digest, size],
        [deep.digest, size],
        [plain.digest, 7],
      ]),
    )
  }),
)
