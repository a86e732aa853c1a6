import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createThrottle } from '#replication/remote/throttle.ts'

/** A clock that moves when something sleeps, a little late each time, as timers are. */
function stage(bytesPerSecond: number | undefined, lateMs = 3) {
  let now = 1_000_000
  const started = now
  const throttle = createThrottle({
    bytesPerSecond,
    clock: () => now,
    sleep: async (ms, signal) => {
      signal.throwIfAborted()
      now += ms + lateMs
      // As a timer, it gives other streams their turn.
      await setImmediate()
    },
  })
  return { throttle, seconds: () => (now - started) / 1_000, pass: (ms: number) => (now += ms) }
}

async function* chunks(count: number, bytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < count; at++) yield new Uint8Array(bytes)
}

const { signal } = new AbortController()

for (const [rate, total] of [
  [50 * 1024 * 1024, 400 * 1024 * 1024],
  [1_000_000, 8_000_000],
  [10_000, 100_000],
] as const) {
  test(`a limit of ${rate} bytes a second is kept within a tenth, by four streams together`, async () => {
    const { throttle, seconds } = stage(rate)
    const sent = [0, 0, 0, 0]
    const stream = async (at: number) => {
      for await (const piece of throttle.pace(chunks(100, total / 400), signal)) {
        sent[at] = (sent[at] ?? 0) + piece.byteLength
      }
    }
    await Promise.all(sent.map((_, at) => stream(at)))
    const bytes = sent.reduce((sum, each) => sum + each, 0)
    const measured = bytes / seconds()
    assert.ok(Math.abs(measured / rate - 1) < 0.1, `${measured} bytes a second`)
  })
}

test('streams have equal shares, for any size of their chunks', async () => {
  const { throttle } = stage(1_000_000)
  const leaving = new AbortController()
  const sent = [0, 0]
  const stream = async (at: number, bytes: number) => {
    for await (const piece of throttle.pace(chunks(1_000, bytes), leaving.signal)) {
      sent[at] = (sent[at] ?? 0) + piece.byteLength
      if (sent[at] > 2_000_000) leaving.abort()
    }
  }
  await Promise.allSettled([stream(0, 1024 * 1024), stream(1, 64 * 1024)])
  const [one = 0, other = 0] = sent
  assert.ok(Math.abs(one / other - 1) < 0.1, `${one} and ${other} bytes`)
})

test('time without sends earns a burst of a fifth of a second at most', async () => {
  const { throttle, seconds, pass } = stage(1_000_000, 0)
  pass(3_600_000)
  const before = seconds()
  await throttle.spend(200_000, signal)
  await throttle.spend(1, signal)
  await throttle.spend(1_000_000, signal)
  await throttle.spend(1, signal)
  assert.ok(seconds() - before >= 0.99, `${seconds() - before} seconds`)
})

test('a stream that is aborted ends, and the others go on', async () => {
  const { throttle } = stage(1_000)
  const leaving = new AbortController()
  const first = throttle.spend(10_000, signal)
  const second = throttle.spend(10, leaving.signal)
  leaving.abort(new Error('stop'))
  await first
  await assert.rejects(second, /stop/)
  await throttle.spend(10, signal)
})

test('without a limit bytes pass as they are', async () => {
  const { throttle, seconds } = stage(undefined)
  const body = chunks(3, 10)
  assert.equal(throttle.pace(body, signal), body)
  await throttle.spend(1e12, signal)
  assert.equal(seconds(), 0)
})
