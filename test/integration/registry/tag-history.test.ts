/** What tags pointed to, who moved them, and pointing them there again: by Lading's own API over HTTP. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { callAdmin } from '#test/support/admin.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { type EcrSession, startEcrSession } from '#test/support/ecr-session.ts'
import { image } from '#test/support/images/build.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { pushImage } from '#test/support/push.ts'

interface Move {
  readonly imageTag: string
  readonly previousImageDigest?: string
  readonly imageDigest?: string
  readonly movedAt: number
  readonly movedBy?: string
  readonly cause: string
}

interface Past {
  readonly imageDigest?: string
  readonly imageState?: string
}

interface Refused {
  readonly __type: string
  readonly message: string
}

const secondMs = 1_000
const good = image({ seed: 'good' })
const bad = image({ seed: 'bad' })

eachDatabase(({ dialect, url }) =>
  describe(`the history of tags (${dialect})`, () => {
    // Near the time of the clients, which sign.
    let now = Date.now()
    let session: EcrSession
    before(async () => {
      session = await startEcrSession({ database: await url(), clock: () => now })
    })
    after(() => session[Symbol.asyncDispose]())

    const ask = async <T>(operation: string, input: object) => {
      const { status, body } = await callAdmin<T>(session.server, session.server.credentials, operation, input)
      assert.equal(status, 200, JSON.stringify(body))
      return body
    }
    const refused = async (operation: string, input: object) => {
      const { status, body } = await callAdmin<Refused>(session.server, session.server.credentials, operation, input)
      assert.equal(status, 400)
      return body
    }
    const moves = async (repositoryName: string, rest: object = {}) =>
      (await ask<{ tagMoves: Move[] }>('ListTagMoves', { repositoryName, ...rest })).tagMoves
    const root = () => `arn:aws:iam::${session.server.account}:root`
    /** Under `production`: good, a second later bad. */
    const moved = async (settings: Parameters<EcrSession['repository']>[0] = {}) => {
      const repositoryName = await session.repository(settings)
      const first = now
      await session.push(repositoryName, good, 'production')
      now += secondMs
      await session.push(repositoryName, bad, 'production')
      return { repositoryName, imageTag: 'production', first }
    }

    test('every way in which a tag moves is told, newest first, with who and when', async () => {
      const { repositoryName, imageTag } = await moved()
      await using client = await openOciClient(session.server)
      await pushImage(client.registry, repositoryName, good, 'other')
      now += secondMs
      await client.call('DELETE', `/v2/${repositoryName}/manifests/${imageTag}`)
      await session.ecr.batchDeleteImage({ repositoryName, imageIds: [{ imageDigest: good.digest }] })
      const all = await moves(repositoryName)
      assert.deepEqual(
        all.map((move) => [move.imageTag, move.previousImageDigest, move.imageDigest, move.cause, move.movedBy]),
        [
          ['other', good.digest, undefined, 'DELETE', root()],
          ['production', bad.digest, undefined, 'DELETE', root()],
          ['other', undefined, good.digest, 'PUSH', root()],
          ['production', good.digest, bad.digest, 'PUSH', root()],
          ['production', undefined, good.digest, 'PUSH', root()],
        ],
      )
      assert.equal(all[0]?.movedAt, now / 1_000)
      assert.equal((await moves(repositoryName, { imageTag })).length, 3)
    })

    test('the same content again is no move', async () => {
      const { repositoryName } = await moved()
      await using client = await openOciClient(session.server)
      await pushImage(client.registry, repositoryName, bad, 'production')
      assert.equal((await moves(repositoryName)).length, 2)
    })

    test('pages of moves neither repeat nor leave out any while a tag moves on', async () => {
      const { repositoryName, imageTag } = await moved()
      type Page = { tagMoves: Move[]; nextToken?: string }
      const first = await ask<Page>('ListTagMoves', { repositoryName, maxResults: 1 })
      await ask('RollbackTag', { repositoryName, imageTag })
      const input = { repositoryName, maxResults: 1, nextToken: first.nextToken }
      const second = await ask<Page>('ListTagMoves', input)
      assert.deepEqual(
        [...first.tagMoves, ...second.tagMoves].map((move) => move.imageDigest),
        [bad.digest, good.digest],
      )
      assert.equal(second.nextToken, undefined)
      assert.match((await refused('ListTagMoves', { ...input, imageTag })).message, /Invalid next token/)
    })

    test('what a tag pointed to at a time, and whether that image is there still', async () => {
      const { repositoryName, imageTag, first } = await moved()
      const past = (at: number) => ask<Past>('GetTagAt', { repositoryName, imageTag, at: at / 1_000 })
      assert.equal((await past(first - 1)).imageDigest, undefined)
      assert.deepEqual(await past(first).then(({ imageDigest, imageState }) => [imageDigest, imageState]), [
        good.digest,
        'ACTIVE',
      ])
      assert.equal((await past(first + secondMs - 1)).imageDigest, good.digest)
      assert.equal((await past(first + secondMs)).imageDigest, bad.digest)
      const imageId = { imageDigest: good.digest }
      await session.ecr.updateImageStorageClass({ repositoryName, imageId, targetStorageClass: 'ARCHIVE' })
      assert.equal((await past(first)).imageState, 'ARCHIVED')
      assert.match(
        (await refused('RollbackTag', { repositoryName, imageTag })).message,
        /is archived\. Restore it first: UpdateImageStorageClass/,
      )
      await session.ecr.batchDeleteImage({ repositoryName, imageIds: [imageId] })
      assert.equal((await past(first)).imageState, 'IN_RECYCLE_BIN')
      const inBin = await refused('RollbackTag', { repositoryName, imageTag })
      assert.equal(inBin.__type, 'ImageUnavailableException')
      assert.match(inBin.message, /is in the recycle bin\. Restore it first/)
      await ask('PurgeDeletedImages', { repositoryName, imageDigest: good.digest })
      assert.equal((await past(first)).imageState, 'GONE')
      assert.match(
        (await refused('RollbackTag', { repositoryName, imageTag })).message,
        /gone for good\. Push it again/,
      )
    })

    test('a tag is put back: to the image before, to a digest of its history, to a time, or after it was deleted', async () => {
      const { repositoryName, imageTag, first } = await moved()
      type Rolled = { previousImageDigest?: string; imageDigest: string }
      const rollBack = async (rest: object = {}) => {
        const answer = await ask<Rolled>('RollbackTag', { repositoryName, imageTag, ...rest })
        return [answer.previousImageDigest, answer.imageDigest]
      }
      assert.deepEqual(await rollBack(), [bad.digest, good.digest])
      const { images = [] } = await session.ecr.batchGetImage({ repositoryName, imageIds: [{ imageTag }] })
      assert.equal(images[0]?.imageId?.imageDigest, good.digest)
      assert.deepEqual(await rollBack({ imageDigest: bad.digest }), [good.digest, bad.digest])
      assert.deepEqual(await rollBack({ at: first / 1_000 }), [bad.digest, good.digest])
      assert.deepEqual(await rollBack({ imageDigest: good.digest }), [good.digest, good.digest])
      await session.ecr.batchDeleteImage({ repositoryName, imageIds: [{ imageTag }] })
      await session.push(repositoryName, good)
      const deleted = await ask<Past>('GetTagAt', { repositoryName, imageTag })
      assert.equal(deleted.imageDigest, undefined)
      assert.deepEqual(await rollBack(), [undefined, good.digest])
      const [latest] = await moves(repositoryName)
      assert.deepEqual([latest?.cause, latest?.movedBy], ['ROLLBACK', root()])
    })

    test('a tag whose image was deleted and restored is put back to the image before, and there and back again', async () => {
      const { repositoryName, imageTag } = await moved()
      const rollBack = async () =>
        (await ask<{ imageDigest: string }>('RollbackTag', { repositoryName, imageTag })).imageDigest
      await session.ecr.batchDeleteImage({ repositoryName, imageIds: [{ imageDigest: bad.digest }] })
      await ask('RestoreDeletedImage', { repositoryName, imageDigest: bad.digest })
      assert.deepEqual(
        (await moves(repositoryName)).slice(0, 2).map((move) => [move.previousImageDigest, move.imageDigest]),
        [
          [undefined, bad.digest],
          [bad.digest, undefined],
        ],
      )
      assert.deepEqual([await rollBack(), await rollBack()], [good.digest, bad.digest])

      const only = { repositoryName, imageTag: 'only' }
      await session.push(repositoryName, good, 'only')
      await session.ecr.batchDeleteImage({ repositoryName, imageIds: [{ imageDigest: good.digest }] })
      await ask('RestoreDeletedImage', { repositoryName, imageDigest: good.digest })
      const none = await refused('RollbackTag', only)
      assert.equal(none.__type, 'TagHistoryNotFoundException')
      assert.match(none.message, /^The tag 'only' in the repository '\S+' has pointed to no other image/)
    })

    test('a rollback leads nowhere but into the tag’s history', async () => {
      const { repositoryName, imageTag, first } = await moved()
      const other = image({ seed: 'other' })
      await session.push(repositoryName, other, 'other')
      const input = { repositoryName, imageTag }
      for (const rest of [{ imageDigest: other.digest }, { at: first / 1_000 - 1 }, { imageTag: 'other' }]) {
        assert.equal((await refused('RollbackTag', { ...input, ...rest })).__type, 'TagHistoryNotFoundException')
      }
      const both = await refused('RollbackTag', { ...input, imageDigest: good.digest, at: first / 1_000 })
      assert.equal(both.__type, 'InvalidParameterException')
    })

    test('of a time that is ahead nothing is told, and nothing is put back to it', async () => {
      const { repositoryName, imageTag } = await moved()
      const at = Date.parse('2100-01-01T14:00:00Z') / 1_000
      for (const operation of ['GetTagAt', 'RollbackTag'] as const) {
        const { __type, message } = await refused(operation, { repositoryName, imageTag, at })
        assert.equal(__type, 'InvalidParameterException')
        assert.match(message, /The time 2100-01-01T14:00:00\.000Z is ahead: it is \d{4}-/)
      }
    })

    test('however many put a tag back at once, each move begins where the one before ended', async () => {
      const { repositoryName, imageTag } = await moved()
      const back = Array.from({ length: 12 }, (_, at) => (at % 2 === 0 ? good : bad).digest)
      await Promise.all(back.map((imageDigest) => ask('RollbackTag', { repositoryName, imageTag, imageDigest })))
      const told = (await moves(repositoryName, { imageTag })).reverse()
      assert.ok(told.length > 2)
      assert.deepEqual(
        told.slice(1).map(({ previousImageDigest }) => previousImageDigest),
        told.slice(0, -1).map(({ imageDigest }) => imageDigest),
      )
    })

    test('an immutable tag is not rolled back, in ECR’s words, but put back after it was deleted', async () => {
      const { repositoryName, imageTag } = await moved()
      await session.ecr.putImageTagMutability({ repositoryName, imageTagMutability: 'IMMUTABLE' })
      const { __type, message } = await refused('RollbackTag', { repositoryName, imageTag })
      assert.equal(__type, 'ImageTagAlreadyExistsException')
      assert.match(message, /cannot be overwritten because the tag is immutable\.$/)
      await using client = await openOciClient(session.server)
      await client.call('DELETE', `/v2/${repositoryName}/manifests/${imageTag}`)
      const back = await ask<{ imageDigest: string }>('RollbackTag', { repositoryName, imageTag })
      assert.equal(back.imageDigest, bad.digest)
    })
  }),
)
