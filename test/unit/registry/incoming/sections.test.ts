import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Sections } from '#registry/incoming/sections.ts'

const never = new AbortController().signal

async function* slowly(chunks: readonly string[], ms: number): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    await delay(ms)
    yield Buffer.from(chunk)
  }
}

test('sections of a slow source hold every chunk, also one that comes between two sections', async () => {
  const chunks = Array.from({ length: 8 }, (_, index) => String(index))
  const sections = new Sections(slowly(chunks, 60), never)
  const found: string[] = []
  while (!sections.ended) {
    found.push(Buffer.concat(await Array.fromAsync(sections.next())).toString())
    // A write that takes its time: the next chunk comes meanwhile.
    await delay(90)
  }
  assert.equal(found.join(''), '01234567')
  assert.ok(found.length > 4, `${found.length} sections`)
})

test('a fast source is cut by bytes', async () => {
  const chunks = Array.from({ length: 20 }, () => 'x'.repeat(65_536))
  const sections = new Sections(slowly(chunks, 0), never)
  let bytes = 0
  while (!sections.ended) {
    const section = Buffer.concat(await Array.fromAsync(sections.next()))
    assert.ok(section.length <= 512 * 1024)
    bytes += section.length
  }
  assert.equal(bytes, 20 * 65_536)
})

test('a signal ends the read of a silent source, and the error of a source is its own', async () => {
  const stopping = new AbortController()
  const silent = new Sections(
    { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) },
    stopping.signal,
  )
  const read = Array.fromAsync(silent.next())
  stopping.abort(new Error('stop'))
  await assert.rejects(read, /stop/)
  silent.close()

  const failure = new Error('broken')
  const broken = new Sections({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(failure) }) }, never)
  await assert.rejects(Array.fromAsync(broken.next()), failure)
})
