/** What replication copies between two registries of one deployment, and what it leaves alone. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sql } from 'kysely'
import type { Metadata } from '#metadata/metadata.ts'
import { openMetadata } from '#metadata/open.ts'
import { parseAccountId } from '#names/account.ts'
import { parseDigest } from '#names/digest.ts'
import { parseRegion } from '#names/region.ts'
import { queueItem } from '#replication/queue.ts'
import { type Dialect, eachDatabase } from '#test/support/databases.ts'
import { type EcrSession, refusalOf, startEcrSession } from '#test/support/ecr-session.ts'
import { amd64, arm64, artifact, image, imageWithForeignLayer, index } from '#test/support/images/build.ts'
import {
  contentOf,
  freshRegistry,
  linesOf,
  pushTo,
  type RegistryClient,
  replicateTo,
  settled,
  statusesOf,
} from '#test/support/replication.ts'
import { assertStorageCounted } from '#test/support/storage-sum.ts'
import { until } from '#test/support/until.ts'

const name = 'team/app'

eachDatabase(({ dialect, url }) => {
  describe(`replication within a deployment (${dialect})`, () => {
    let session: EcrSession
    let metadata: Metadata
    before(async () => {
      const database = await url()
      session = await startEcrSession({ database })
      metadata = await openMetadata(database, assert.fail)
    })
    after(async () => {
      await metadata.close()
      await session[Symbol.asyncDispose]()
    })
    const pair = () => [freshRegistry(session), freshRegistry(session)] as const

    test('an image arrives in the other region, with its tag and the same bytes', async () => {
      const [source, copy] = pair()
      await replicateTo(source.ecr, [copy])
      const app = image({ layers: [10_000, 20_000], seed: 'arrives' })
      await pushTo(source.ecr, name, app, 'v1')
      assert.deepEqual(await settled(source.ecr, name, app.digest), [`${copy.name}: COMPLETE`])
      assert.deepEqual(await statusesOf(source.ecr, name, { imageTag: 'v1' }), [`${copy.name}: COMPLETE`])
      assert.deepEqual(await contentOf(copy.ecr, name), linesOf([app, 'v1']))
      const got = await copy.ecr.batchGetImage({ repositoryName: name, imageIds: [{ imageTag: 'v1' }] })
      assert.equal(got.images?.[0]?.imageManifest, app.bytes.toString())
      for (const { digest, bytes } of app.blobs) {
        const { downloadUrl } = await copy.ecr.getDownloadUrlForLayer({ repositoryName: name, layerDigest: digest })
        const answer = await fetch(downloadUrl ?? '')
        assert.deepEqual(Buffer.from(await answer.arrayBuffer()), bytes)
      }
      const describe = async (registry: typeof source) =>
        (await registry.ecr.describeImages({ repositoryName: name })).imageDetails?.[0]?.imageSizeInBytes
      assert.equal(await describe(copy), await describe(source))
    })

    test('only repositories with a prefix that a filter names are replicated', async () => {
      const [source, copy] = pair()
      await replicateTo(source.ecr, [copy], ['prod', 'team/'])
      const app = image({ seed: 'filters' })
      for (const each of ['prod', 'production/app', 'team/app', 'teams/app', 'dev/prod'])
        await pushTo(source.ecr, each, app)
      for (const each of ['prod', 'production/app', 'team/app']) {
        assert.deepEqual(await settled(source.ecr, each, app.digest), [`${copy.name}: COMPLETE`])
        assert.deepEqual(await contentOf(copy.ecr, each), linesOf([app]))
      }
      for (const each of ['teams/app', 'dev/prod']) {
        assert.deepEqual(await statusesOf(source.ecr, each, { imageDigest: app.digest }), [])
        assert.equal(await contentOf(copy.ecr, each), undefined)
      }
    })

    test('an index arrives with its children and attestations', async () => {
      const [source, copy] = pair()
      await replicateTo(source.ecr, [copy])
      const children = [image({ platform: amd64, seed: 'index' }), image({ platform: arm64, seed: 'index' })]
      const attestation = artifact({ artifactType: 'application/vnd.in-toto+json', blobs: [Buffer.from('{}')] })
      const both = index({ children: [...children, attestation] })
      await pushTo(source.ecr, name, both, 'v1')
      assert.deepEqual(await settled(source.ecr, name, both.digest), [`${copy.name}: COMPLETE`])
      assert.deepEqual(
        await contentOf(copy.ecr, name),
        linesOf([both, 'v1'], ...[...children, attestation].map((one) => [one] as const)),
      )
    })

    test('a tag that is pushed later brings along the children that were there before the rule', async () => {
      const [source, copy] = pair()
      const inner = index({ children: [image({ platform: amd64, seed: 'along' })] })
      const outer = index({ children: [inner, image({ platform: arm64, seed: 'along' })] })
      await pushTo(source.ecr, name, outer, 'v1')
      await replicateTo(source.ecr, [copy])
      await source.ecr.putImage({ repositoryName: name, imageManifest: outer.bytes.toString(), imageTag: 'v2' })
      assert.deepEqual(await settled(source.ecr, name, outer.digest), [`${copy.name}: COMPLETE`])
      const below = [inner, ...inner.children, ...outer.children.slice(1)].map((one) => [one] as const)
      assert.deepEqual(await contentOf(copy.ecr, name), linesOf([outer, 'v2'], ...below))
    })

    test('a referrer brings its subject, but not one that the destination deleted', async () => {
      const [source, copy] = pair()
      const app = image({ seed: 'subject' })
      await pushTo(source.ecr, name, app)
      await replicateTo(source.ecr, [copy])
      const sbomOf = (text: string) =>
        artifact({ artifactType: 'application/spdx+json', subject: app, blobs: [Buffer.from(text)] })
      const sbom = sbomOf('1')
      await pushTo(source.ecr, name, sbom)
      await settled(source.ecr, name, sbom.digest)
      assert.deepEqual(await contentOf(copy.ecr, name), linesOf([app], [sbom]))
      const { referrers } = await copy.ecr.listImageReferrers({
        repositoryName: name,
        subjectId: { imageDigest: app.digest },
      })
      assert.deepEqual(
        referrers?.map(({ digest }) => digest),
        [sbom.digest],
      )

      await copy.ecr.batchDeleteImage({ repositoryName: name, imageIds: [{ imageDigest: app.digest }] })
      const second = sbomOf('2')
      await pushTo(source.ecr, name, second)
      assert.deepEqual(await settled(source.ecr, name, second.digest), [`${copy.name}: COMPLETE`])
      assert.deepEqual(await contentOf(copy.ecr, name), linesOf([sbom], [second]))
    })

    test('tags move where they are mutable, and an immutable one leaves the image untagged', async () => {
      const [source, mutable, immutable] = [...pair(), freshRegistry(session)]
      await immutable.ecr.createRepository({ repositoryName: name, imageTagMutability: 'IMMUTABLE' })
      await replicateTo(source.ecr, [mutable, immutable])
      const [one, two] = [image({ seed: 'one' }), image({ seed: 'two' })]
      await pushTo(source.ecr, name, one, 'latest')
      await settled(source.ecr, name, one.digest)
      await pushTo(source.ecr, name, two, 'latest')
      const complete = [`${mutable.name}: COMPLETE`, `${immutable.name}: COMPLETE`]
      assert.deepEqual(new Set(await settled(source.ecr, name, two.digest)), new Set(complete))
      assert.deepEqual(await contentOf(mutable.ecr, name), linesOf([one], [two, 'latest']))
      assert.deepEqual(await contentOf(immutable.ecr, name), linesOf([one, 'latest'], [two]))
    })

    test('a second tag of an image is replicated as a push of its own', async () => {
      const [source, copy] = pair()
      await replicateTo(source.ecr, [copy])
      const app = image({ seed: 'second tag' })
      await pushTo(source.ecr, name, app, 'v1')
      await settled(source.ecr, name, app.digest)
      await source.ecr.putImage({ repositoryName: name, imageManifest: app.bytes.toString(), imageTag: 'v2' })
      await settled(source.ecr, name, app.digest)
      assert.deepEqual(await contentOf(copy.ecr, name), linesOf([app, 'v1', 'v2']))
    })

    test('a copy that the destination archived comes back, and an archived source is not copied', async () => {
      const [source, copy] = pair()
      await replicateTo(source.ecr, [copy])
      const app = index({ children: [image({ seed: 'archive' })] })
      await pushTo(source.ecr, name, app, 'v1')
      await settled(source.ecr, name, app.digest)
      const imageId = { imageDigest: app.digest }
      await copy.ecr.updateImageStorageClass({ repositoryName: name, imageId, targetStorageClass: 'ARCHIVE' })
      const [child] = app.children
      const childId = { imageDigest: child?.digest }
      await copy.ecr.updateImageStorageClass({ repositoryName: name, imageId: childId, targetStorageClass: 'ARCHIVE' })
      await source.ecr.putImage({ repositoryName: name, imageManifest: app.bytes.toString(), imageTag: 'v2' })
      await settled(source.ecr, name, app.digest)
      const { imageDetails = [] } = await copy.ecr.describeImages({ repositoryName: name })
      assert.deepEqual(
        imageDetails.map(({ imageStatus }) => imageStatus),
        ['ACTIVE', 'ACTIVE'],
      )

      const kept = image({ seed: 'kept from the archive' })
      await replicateTo(source.ecr, [])
      await pushTo(source.ecr, name, kept, 'kept')
      const keptId = { imageDigest: kept.digest }
      await source.ecr.updateImageStorageClass({ repositoryName: name, imageId: keptId, targetStorageClass: 'ARCHIVE' })
      await replicateTo(source.ecr, [copy])
      assert.deepEqual(await statusesOf(source.ecr, name, keptId), [])
      await source.ecr.updateImageStorageClass({
        repositoryName: name,
        imageId: keptId,
        targetStorageClass: 'STANDARD',
      })
      assert.deepEqual(await settled(source.ecr, name, kept.digest), [`${copy.name}: COMPLETE`])
      assert.ok((await contentOf(copy.ecr, name))?.includes(`${kept.digest} kept`), 'restored after the rule was there')
    })

    test('a copy is not replicated on, and not back', async () => {
      const [first, second] = pair()
      const third = freshRegistry(session)
      await replicateTo(first.ecr, [second])
      await replicateTo(second.ecr, [first, third])
      await replicateTo(third.ecr, [first])
      const [one, two] = [image({ seed: 'chain 1' }), image({ seed: 'chain 2' })]
      await pushTo(first.ecr, name, one, 'v1')
      await settled(first.ecr, name, one.digest)
      await pushTo(second.ecr, name, two, 'v2')
      await settled(second.ecr, name, two.digest)
      assert.deepEqual(await statusesOf(second.ecr, name, { imageDigest: one.digest }), [])
      assert.deepEqual(await statusesOf(first.ecr, name, { imageDigest: two.digest }), [])
      assert.deepEqual(await contentOf(first.ecr, name), linesOf([one, 'v1'], [two, 'v2']))
      assert.deepEqual(await contentOf(second.ecr, name), linesOf([one, 'v1'], [two, 'v2']))
      assert.deepEqual(await contentOf(third.ecr, name), linesOf([two, 'v2']))
    })

    test('pushes to two registries that replicate to each other at the same time all arrive', async () => {
      const [left, right] = pair()
      await replicateTo(left.ecr, [right])
      await replicateTo(right.ecr, [left])
      const shared = 30_000
      const imagesOf = (side: string) =>
        Array.from({ length: 12 }, (_, at) =>
          image({ layers: [shared], seed: `${side}/${at % 4}`, annotations: { at: `${at}` } }),
        )
      const [ours, theirs] = [imagesOf('left'), imagesOf('right')]
      await Promise.all([
        (async () => {
          for (const [at, one] of ours.entries()) await pushTo(left.ecr, name, one, `l${at}`)
        })(),
        (async () => {
          for (const [at, one] of theirs.entries()) await pushTo(right.ecr, name, one, `r${at}`)
        })(),
      ])
      for (const one of ours) assert.deepEqual(await settled(left.ecr, name, one.digest), [`${right.name}: COMPLETE`])
      for (const one of theirs) assert.deepEqual(await settled(right.ecr, name, one.digest), [`${left.name}: COMPLETE`])
      const all = linesOf(
        ...ours.map((one, at) => [one, `l${at}`] as const),
        ...theirs.map((one, at) => [one, `r${at}`] as const),
      )
      assert.deepEqual(await contentOf(left.ecr, name), all)
      assert.deepEqual(await contentOf(right.ecr, name), all)
    })

    test('deletions are not replicated, and no status changes by them', async () => {
      const [source, copy] = pair()
      await replicateTo(source.ecr, [copy])
      const app = image({ seed: 'deletion' })
      await pushTo(source.ecr, name, app, 'v1')
      await settled(source.ecr, name, app.digest)
      await copy.ecr.batchDeleteImage({ repositoryName: name, imageIds: [{ imageDigest: app.digest }] })
      assert.deepEqual(await statusesOf(source.ecr, name, { imageDigest: app.digest }), [`${copy.name}: COMPLETE`])
      const other = image({ seed: 'deletion 2' })
      await pushTo(source.ecr, name, other, 'v2')
      await settled(source.ecr, name, other.digest)
      await source.ecr.batchDeleteImage({ repositoryName: name, imageIds: [{ imageDigest: other.digest }] })
      assert.deepEqual(await contentOf(copy.ecr, name), linesOf([other, 'v2']))
      const refused = source.ecr.describeImageReplicationStatus({
        repositoryName: name,
        imageId: { imageDigest: other.digest },
      })
      assert.equal((await refusalOf(refused)).name, 'ImageNotFoundException')
    })

    test('a foreign layer counts to the size where it is linked', async () => {
      const [source, copy] = pair()
      await replicateTo(source.ecr, [copy])
      const sizeAt = async ({ ecr }: typeof source, digest: string) =>
        (await ecr.describeImages({ repositoryName: name, imageIds: [{ imageDigest: digest }] })).imageDetails?.[0]
          ?.imageSizeInBytes
      const { image: app, layer } = imageWithForeignLayer('foreign 1')
      await pushTo(source.ecr, name, app)
      await settled(source.ecr, name, app.digest)
      assert.equal(await sizeAt(copy, app.digest), await sizeAt(source, app.digest))
      const { image: other } = imageWithForeignLayer(
        'foreign 1',
        'application/vnd.oci.image.layer.nondistributable.v1.tar',
      )
      const { uploadId } = await source.ecr.initiateLayerUpload({ repositoryName: name })
      const partLastByte = layer.bytes.byteLength - 1
      await source.ecr.uploadLayerPart({
        repositoryName: name,
        uploadId,
        partFirstByte: 0,
        partLastByte,
        layerPartBlob: layer.bytes,
      })
      await source.ecr.completeLayerUpload({ repositoryName: name, uploadId, layerDigests: [layer.digest] })
      await pushTo(source.ecr, name, other)
      await settled(source.ecr, name, other.digest)
      assert.equal(await sizeAt(copy, other.digest), await sizeAt(source, other.digest))
      assert.equal(
        await sizeAt(copy, app.digest),
        await sizeAt(source, app.digest),
        'the layer came with another image',
      )
    })

    test('an image that is damaged at the source is not copied, and fails no other one', async () => {
      const [source, copy] = pair()
      const [whole, damaged, quarantined] = ['whole', 'damaged', 'quarantined'].map((seed) =>
        image({ seed: `damage ${seed}` }),
      )
      assert(whole && damaged && quarantined)
      for (const each of [whole, damaged, quarantined]) await pushTo(source.ecr, name, each)
      const { id } = await metadata.reader
        .selectFrom('repository')
        .select('id')
        .where('region', '=', source.region)
        .executeTakeFirstOrThrow()
      await metadata.transaction(async (trx) => {
        await trx
          .updateTable('manifest_content')
          .set({ body: Buffer.alloc(damaged.bytes.length, ' ') })
          .where('repository_id', '=', id)
          .where('digest', '=', damaged.digest)
          .execute()
        await trx
          .updateTable('blob')
          .set({ quarantined_at: 1 })
          .where('digest', '=', quarantined.blobs[1]?.digest ?? '')
          .execute()
      })
      await replicateTo(source.ecr, [copy])
      const both = index({ children: [whole], annotations: { of: 'damage' } })
      await source.ecr.putImage({ repositoryName: name, imageManifest: both.bytes.toString() })
      for (const each of [damaged, quarantined, whole]) {
        const imageId = { imageDigest: each.digest }
        await source.ecr
          .updateImageStorageClass({ repositoryName: name, imageId, targetStorageClass: 'ARCHIVE' })
          .catch(() => {})
        await source.ecr.updateImageStorageClass({ repositoryName: name, imageId, targetStorageClass: 'STANDARD' })
      }
      assert.deepEqual(await settled(source.ecr, name, both.digest), [`${copy.name}: COMPLETE`])
      assert.deepEqual(await settled(source.ecr, name, damaged.digest), [`${copy.name}: FAILED ServerException`])
      assert.deepEqual(await statusesOf(source.ecr, name, { imageDigest: quarantined.digest }), [
        `${copy.name}: IN_PROGRESS`,
      ])
      assert.deepEqual(await contentOf(copy.ecr, name), linesOf([both], [whole]))
    })

    test('an image that the database does not store is tried again, and holds up none that comes with it', async () => {
      const [source, copy] = pair()
      const [broken, later] = ['not stored', 'stored'].map((seed) => image({ seed }))
      assert(broken && later)
      for (const each of [broken, later]) await pushTo(source.ecr, name, each)
      await pushTo(source.ecr, 'team/other', later)
      await refuseCopies(metadata, dialect, broken.digest)
      await replicateTo(source.ecr, [copy])
      const repositories = await metadata.reader
        .selectFrom('repository')
        .innerJoin('manifest', 'manifest.repository_id', 'repository.id')
        .select(['id', 'digest'])
        .where('region', '=', source.region)
        .orderBy(({ eb }) => eb.case().when('digest', '=', broken.digest).then(0).else(1).end())
        .execute()
      await metadata.transaction(async (trx) => {
        const now = Date.now()
        const route = { source: registryOf(source), destination: registryOf(copy) }
        for (const { id: repositoryId, digest } of repositories) {
          const what = { repositoryId, digest: parseDigest(digest), cause: 'push', pushedAt: now, tags: [] } as const
          await queueItem(trx, { ...route, ...what }, now)
        }
      })
      const attempted = () =>
        metadata.reader
          .selectFrom('replication_item')
          .select(['digest', 'state', 'failure_code as failure'])
          .where('source_region', '=', source.region)
          .orderBy('id')
          .execute()
      await until(async () =>
        (await attempted()).every(({ state, failure }) => state === 'COMPLETE' || failure !== null),
      )
      assert.deepEqual(await attempted(), [
        { digest: broken.digest, state: 'WAITING', failure: 'InternalError' },
        { digest: later.digest, state: 'COMPLETE', failure: null },
        { digest: later.digest, state: 'COMPLETE', failure: null },
      ])
    })

    test('what registries store is counted with their copies', () => assertStorageCounted(metadata))
  })
})

/** The database has a fault with an image, unless it is in the repository already. */
async function refuseCopies(metadata: Metadata, dialect: Dialect, digest: string): Promise<void> {
  const isCopy = `new.digest = '${digest}' and not exists (select 1 from manifest where digest = new.digest and repository_id = new.repository_id)`
  const statements =
    dialect === 'sqlite'
      ? [`create trigger refused before insert on manifest when ${isCopy} begin select raise(abort, 'a fault'); end`]
      : [
          `create function refuse() returns trigger language plpgsql as
            $$ begin if ${isCopy} then raise 'a fault'; end if; return new; end $$`,
          'create trigger refused before insert on manifest for each row execute function refuse()',
        ]
  await metadata.transaction(async (trx) => {
    for (const statement of statements) await sql.raw(statement).execute(trx)
  })
}

function registryOf({ registryId, region }: RegistryClient) {
  return { account: parseAccountId(registryId), region: parseRegion(region) }
}
