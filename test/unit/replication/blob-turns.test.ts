import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { type Digest, parseDigest } from '#names/digest.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { createBlobTurns } from '#replication/remote/blob-turns.ts'

const digest = (number: number): Digest => parseDigest(`sha256:${number.toString(16).padStart(64, '0')}`)
const [x, y] = [digest(1), digest(2)]
const [one, other] = [parseRepositoryName('one'), parseRepositoryName('other')]
const { signal } = new AbortController()

function watch(promise: Promise<void>) {
  const state = { over: false }
  promise.then(
    () => {
      state.over = true
    },
    () => {},
  )
  return async () => {
    await setImmediate()
    return state.over
  }
}

test('an image of the same repository waits until the blob is sent, and no longer', async () => {
  const turns = createBlobTurns({ mountsFromImages: true })
  const first = turns.enter(one, [x])
  const second = turns.enter(one, [x, y])
  await first.wait(x, signal)
  await second.wait(y, signal)
  const isOver = watch(second.wait(x, signal))
  assert.equal(await isOver(), false)
  first.sent(x)
  assert.equal(await isOver(), true)
})

test('an image of another repository waits until the first one has left, where mounts need an image', async () => {
  const turns = createBlobTurns({ mountsFromImages: true })
  const first = turns.enter(one, [x])
  const isOver = watch(turns.enter(other, [x]).wait(x, signal))
  first.sent(x)
  assert.equal(await isOver(), false)
  first[Symbol.dispose]()
  assert.equal(await isOver(), true)
})

test('where mounts need no image, the blob alone is waited for', async () => {
  const turns = createBlobTurns({ mountsFromImages: false })
  const first = turns.enter(one, [x])
  const isOver = watch(turns.enter(other, [x]).wait(x, signal))
  assert.equal(await isOver(), false)
  first.sent(x)
  assert.equal(await isOver(), true)
})

test('after an image that leaves without its blob the next one has its turn, and only that one', async () => {
  const turns = createBlobTurns({ mountsFromImages: true })
  const first = turns.enter(one, [x])
  const second = turns.enter(other, [x, y])
  const third = turns.enter(one, [y, x])
  const [isSecond, isThird] = [watch(second.wait(x, signal)), watch(third.wait(x, signal))]
  first[Symbol.dispose]()
  assert.equal(await isSecond(), true)
  assert.equal(await isThird(), false)
  second[Symbol.dispose]()
  assert.equal(await isThird(), true)
})

test('a wait ends with its signal', async () => {
  const turns = createBlobTurns({ mountsFromImages: true })
  turns.enter(one, [x])
  const stopping = new AbortController()
  const waiting = turns.enter(one, [x]).wait(x, stopping.signal)
  stopping.abort(new Error('stop'))
  await assert.rejects(waiting, /stop/)
})
