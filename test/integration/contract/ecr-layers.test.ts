/** The layer operations, by the AWS SDK: availability, download URLs, and uploads in parts. */
import assert from 'node:assert/strict'
import { readdir, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { answerOf, type EcrSession, refusalOf, startEcrSession } from '#test/support/ecr-session.ts'
import { type Blob, type Image, image, index } from '#test/support/images/build.ts'
import { digest, noise } from '#test/support/images/content.ts'

const account = '000000000000'
const absent = digest(Buffer.from('absent'))
const noUpload = '00000000-0000-4000-8000-000000000000'
const mib = 1024 * 1024

function within(repositoryName: string): string {
  return `within the repository with name '${repositoryName}' in the registry with id '${account}'`
}

function missingRepository(repositoryName: string) {
  const message = `The repository with name '${repositoryName}' does not exist in the registry with id '${account}'`
  return { name: 'RepositoryNotFoundException', message, status: 400 }
}

function blobOf({ blobs }: Image, place: number): Blob {
  const blob = blobs[place]
  assert.ok(blob)
  return blob
}

eachDatabaseInCi(({ dialect, url }) => {
  describe(`layers by the SDK (${dialect})`, () => {
    let session: EcrSession
    before(async () => {
      session = await startEcrSession({ database: await url() })
    })
    after(() => session[Symbol.asyncDispose]())

    async function initiate(repositoryName: string): Promise<string> {
      const { uploadId } = await session.ecr.initiateLayerUpload({ repositoryName })
      assert.ok(uploadId)
      return uploadId
    }

    function part(repositoryName: string, uploadId: string, partFirstByte: number, layerPartBlob: Uint8Array) {
      const partLastByte = partFirstByte + layerPartBlob.byteLength - 1
      return session.ecr.uploadLayerPart({ repositoryName, uploadId, partFirstByte, partLastByte, layerPartBlob })
    }

    async function partRefusal(call: Promise<unknown>) {
      const [outcome] = await Promise.allSettled([call])
      assert.equal(outcome.status, 'rejected')
      const { name, registryId, repositoryName, uploadId, lastValidByteReceived } = outcome.reason
      return { name, registryId, repositoryName, uploadId, lastValidByteReceived }
    }

    test('a layer uploaded in parts is there, with its size, and its type once an image mentions it', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      const app = image({ layers: [6 * mib] })
      const layer = blobOf(app, 1)
      const { uploadId, ...initiated } = await answerOf(ecr.initiateLayerUpload({ repositoryName }))
      assert.match(uploadId ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
      assert.deepEqual(initiated, { partSize: 10_485_760 })
      const common = { registryId: account, repositoryName, uploadId }
      const cut = 5 * mib
      for (const [first, bytes] of [
        [0, layer.bytes.subarray(0, cut)],
        [cut, layer.bytes.subarray(cut)],
      ] as const) {
        const answer = await answerOf(part(repositoryName, uploadId ?? '', first, bytes))
        assert.deepEqual(answer, { ...common, lastByteReceived: first + bytes.length - 1 })
      }
      const layerDigests = [absent, layer.digest]
      const completed = await answerOf(ecr.completeLayerUpload({ repositoryName, uploadId, layerDigests }))
      assert.deepEqual(completed, { ...common, layerDigest: layer.digest })

      const layerDigest = layer.digest
      const available = { layerDigest, layerAvailability: 'AVAILABLE', layerSize: layer.bytes.length }
      const check = () => answerOf(ecr.batchCheckLayerAvailability({ repositoryName, layerDigests: [layerDigest] }))
      assert.deepEqual(await check(), { layers: [available], failures: [] })
      await session.push(repositoryName, app)
      assert.deepEqual(await check(), { layers: [{ ...available, mediaType: layer.mediaType }], failures: [] })
    })

    test('availability is of one repository, and each digest that is none fails for itself', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      const elsewhere = await session.repository()
      const [here, there] = [blobOf(image(), 1), blobOf(image({ seed: 'there' }), 1)]
      await session.pushBlob(repositoryName, here)
      await session.pushBlob(elsewhere, there)
      const md5 = 'md5:d41d8cd98f00b204e9800998ecf8427e'
      const layerDigests = [here.digest, 'sha256', there.digest, '', absent, md5, here.digest]
      const unavailable = (layerDigest: string) => ({ layerDigest, layerAvailability: 'UNAVAILABLE' })
      assert.deepEqual(await answerOf(ecr.batchCheckLayerAvailability({ repositoryName, layerDigests })), {
        layers: [
          { layerDigest: here.digest, layerAvailability: 'AVAILABLE', layerSize: here.bytes.length },
          unavailable(there.digest),
          unavailable(absent),
          unavailable(md5),
        ],
        failures: [
          {
            layerDigest: 'sha256',
            failureCode: 'InvalidLayerDigest',
            failureReason:
              "Invalid request parameters: layer digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
          },
          {
            layerDigest: '',
            failureCode: 'MissingLayerDigest',
            failureReason: 'Invalid request parameters: layer digest cannot be empty',
          },
        ],
      })
      assert.deepEqual(
        await refusalOf(ecr.batchCheckLayerAvailability({ repositoryName: 'missing/app', layerDigests: [''] })),
        missingRepository('missing/app'),
      )
    })

    test('a download URL gives a layer of an image to whoever holds it, and nothing else', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      const app = image()
      await session.push(repositoryName, app)
      for (const { digest: layerDigest, bytes } of app.blobs) {
        const { downloadUrl = '', ...answer } = await answerOf(
          ecr.getDownloadUrlForLayer({ repositoryName, layerDigest }),
        )
        assert.deepEqual(answer, { layerDigest })
        const response = await fetch(downloadUrl)
        assert.equal(response.status, 200)
        assert.deepEqual(Buffer.from(await response.arrayBuffer()), bytes)
        const other = app.blobs.find((blob) => blob.digest !== layerDigest)
        const stolen = await fetch(downloadUrl.replace(layerDigest, other?.digest ?? ''))
        assert.equal(stolen.status, 403)
        await stolen.body?.cancel()
      }
    })

    test('a layer that is not there, or in no image, has no download URL', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      const layer = blobOf(image(), 1)
      await session.pushBlob(repositoryName, layer)
      assert.deepEqual(await refusalOf(ecr.getDownloadUrlForLayer({ repositoryName, layerDigest: layer.digest })), {
        name: 'LayerInaccessibleException',
        message: `The layer with digest ${layer.digest} ${within(repositoryName)} is not accessible: no image refers to it`,
        status: 400,
      })
      for (const layerDigest of [absent, 'md5:d41d8cd98f00b204e9800998ecf8427e']) {
        assert.deepEqual(await refusalOf(ecr.getDownloadUrlForLayer({ repositoryName, layerDigest })), {
          name: 'LayersNotFoundException',
          message: `The layer with digest ${layerDigest} does not exist ${within(repositoryName)}`,
          status: 400,
        })
        const elsewhere = { repositoryName: 'missing/app', layerDigest }
        assert.deepEqual(await refusalOf(ecr.getDownloadUrlForLayer(elsewhere)), missingRepository('missing/app'))
      }
      const { name } = await refusalOf(ecr.getDownloadUrlForLayer({ repositoryName, layerDigest: 'sha256' }))
      assert.equal(name, 'InvalidParameterException')
    })

    test('the manifest of an index is no layer', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      const child = image()
      await session.push(repositoryName, index({ children: [child] }))
      const { name } = await refusalOf(ecr.getDownloadUrlForLayer({ repositoryName, layerDigest: child.digest }))
      assert.equal(name, 'LayersNotFoundException')
    })

    test('a part that does not follow is refused, with the byte to go on from', async () => {
      const repositoryName = await session.repository()
      const uploadId = await initiate(repositoryName)
      const bytes = noise('parts', 1_000)
      const where = { name: 'InvalidLayerPartException', registryId: account, repositoryName, uploadId }
      const nothingYet = { ...where, lastValidByteReceived: undefined }
      assert.deepEqual(await partRefusal(part(repositoryName, uploadId, 1, bytes)), nothingYet)
      await part(repositoryName, uploadId, 0, bytes)
      const afterFirst = { ...where, lastValidByteReceived: 999 }
      for (const first of [0, 999, 1_001]) {
        assert.deepEqual(await partRefusal(part(repositoryName, uploadId, first, bytes)), afterFirst)
      }
      const longer = { partFirstByte: 1_000, partLastByte: 2_000, layerPartBlob: bytes }
      const wrongLength = session.ecr.uploadLayerPart({ repositoryName, uploadId, ...longer })
      assert.deepEqual(await partRefusal(wrongLength), afterFirst)
      const none = { partFirstByte: 1_000, partLastByte: 999, layerPartBlob: new Uint8Array() }
      assert.deepEqual(
        await partRefusal(session.ecr.uploadLayerPart({ repositoryName, uploadId, ...none })),
        afterFirst,
      )
      await part(repositoryName, uploadId, 1_000, bytes)
      const layerDigests = [digest(Buffer.concat([bytes, bytes]))]
      const { name } = await refusalOf(session.ecr.completeLayerUpload({ repositoryName, uploadId, layerDigests }))
      assert.equal(name, 'LayerPartTooSmallException')
    })

    test('a part of twenty megabytes is taken, a larger one is not', async () => {
      const repositoryName = await session.repository()
      const uploadId = await initiate(repositoryName)
      const largest = 20 * mib
      const refusal = await refusalOf(part(repositoryName, uploadId, 0, Buffer.alloc(largest + 1)))
      assert.deepEqual(refusal, {
        name: 'InvalidParameterException',
        message: `Invalid parameter at 'layerPartBlob' failed to satisfy constraint: 'Member must have length less than or equal to ${largest}'`,
        status: 400,
      })
      const { lastByteReceived } = await part(repositoryName, uploadId, 0, Buffer.alloc(largest))
      assert.equal(lastByteReceived, largest - 1)
    })

    test('an upload is of its repository, and what is not there is named', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      const uploadId = await initiate(await session.repository())
      const bytes = Buffer.from('layer')
      for (const id of [uploadId, noUpload]) {
        const refusal = {
          name: 'UploadNotFoundException',
          message: `The upload with uploadId '${id}' does not exist ${within(repositoryName)}`,
          status: 400,
        }
        assert.deepEqual(await refusalOf(part(repositoryName, id, 0, bytes)), refusal)
        for (const layerDigests of [[absent], ['md5:00']]) {
          const completion = { repositoryName, uploadId: id, layerDigests }
          assert.deepEqual(await refusalOf(ecr.completeLayerUpload(completion)), refusal)
        }
      }
      const missing = missingRepository('missing/app')
      assert.deepEqual(await refusalOf(ecr.initiateLayerUpload({ repositoryName: 'missing/app' })), missing)
      assert.deepEqual(await refusalOf(part('missing/app', uploadId, 0, bytes)), missing)
      const completion = { repositoryName: 'missing/app', uploadId, layerDigests: [absent] }
      assert.deepEqual(await refusalOf(ecr.completeLayerUpload(completion)), missing)
    })

    test('an upload that cannot be completed says why, and can go on', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      const uploadId = await initiate(repositoryName)
      const complete = (...layerDigests: string[]) =>
        ecr.completeLayerUpload({ repositoryName, uploadId, layerDigests })
      assert.deepEqual(await refusalOf(complete(absent)), {
        name: 'EmptyUploadException',
        message: `The upload with uploadId '${uploadId}' ${within(repositoryName)} does not contain any layer parts`,
        status: 400,
      })
      const bytes = Buffer.from('layer')
      await part(repositoryName, uploadId, 0, bytes)
      for (const layerDigests of [[absent], ['md5:00'], ['md5:00', absent]]) {
        assert.deepEqual(await refusalOf(complete(...layerDigests)), {
          name: 'InvalidLayerException',
          message: 'None of the provided layer digests match the calculated layer digest',
          status: 400,
        })
      }
      const { layerDigest } = await complete(absent, digest(bytes))
      assert.equal(layerDigest, digest(bytes))
      assert.equal((await refusalOf(complete(digest(bytes)))).name, 'UploadNotFoundException')
    })

    test('an upload that a power loss took bytes of says from where to upload again', async () => {
      const { ecr, server } = session
      const repositoryName = await session.repository()
      const uploadId = await initiate(repositoryName)
      const bytes = noise('lost', 6 * mib)
      await part(repositoryName, uploadId, 0, bytes)
      const drafts = join(server.dataDir, 'blobs', 'drafts', uploadId)
      for (const draft of await readdir(drafts)) await truncate(join(drafts, draft), 5 * mib)
      const completion = { repositoryName, uploadId, layerDigests: [digest(bytes)] }
      assert.deepEqual(await refusalOf(ecr.completeLayerUpload(completion)), {
        name: 'InvalidLayerException',
        message: `The upload with uploadId '${uploadId}' has lost layer parts: upload them again from byte ${5 * mib}`,
        status: 400,
      })
      await part(repositoryName, uploadId, 5 * mib, bytes.subarray(5 * mib))
      assert.equal((await ecr.completeLayerUpload(completion)).layerDigest, digest(bytes))
    })

    test('a small part may only be the last', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      const uploadId = await initiate(repositoryName)
      await part(repositoryName, uploadId, 0, Buffer.from('small'))
      await part(repositoryName, uploadId, 5, Buffer.from('parts'))
      const layerDigests = [digest(Buffer.from('smallparts'))]
      assert.deepEqual(await refusalOf(ecr.completeLayerUpload({ repositoryName, uploadId, layerDigests })), {
        name: 'LayerPartTooSmallException',
        message: `The upload with uploadId '${uploadId}' contains a layer part that is smaller than 5242880 bytes and is not the last`,
        status: 400,
      })
    })

    test('a layer that the repository has is not completed again', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      const layer = blobOf(image(), 1)
      await session.pushBlob(repositoryName, layer)
      const bytes = Buffer.from('another layer')
      const completionOf = async (content: Uint8Array, ...layerDigests: string[]) => {
        const uploadId = await initiate(repositoryName)
        await part(repositoryName, uploadId, 0, content)
        return { repositoryName, uploadId, layerDigests }
      }
      const mistaken = await refusalOf(ecr.completeLayerUpload(await completionOf(bytes, layer.digest)))
      assert.equal(mistaken.name, 'InvalidLayerException')
      const { layerDigest } = await ecr.completeLayerUpload(await completionOf(bytes, layer.digest, digest(bytes)))
      assert.equal(layerDigest, digest(bytes))

      const completion = await completionOf(layer.bytes, layer.digest)
      assert.deepEqual(await refusalOf(ecr.completeLayerUpload(completion)), {
        name: 'LayerAlreadyExistsException',
        message: `The layer with digest '${layer.digest}' already exists in the repository with name '${repositoryName}' in registry with id '${account}'`,
        status: 400,
      })
      assert.equal((await refusalOf(ecr.completeLayerUpload(completion))).name, 'UploadNotFoundException')
    })
  })
})
