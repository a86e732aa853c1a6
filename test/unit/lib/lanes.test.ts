import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Lanes } from '#lib/lanes.ts'

const never = new AbortController().signal

test('so many of one key run at once, and others take their places in the order in which they came', async () => {
  const lanes = new Lanes(2)
  const order: string[] = []
  const enter = async (name: string, key = 'a') => {
    const leave = await lanes.enter(key, never)
    order.push(name)
    return leave
  }
  const [first, second] = [await enter('1'), await enter('2')]
  const waiting = [enter('3'), enter('4')]
  await enter('another key', 'b')
  assert.deepEqual(order, ['1', '2', 'another key'])
  second()
  const third = await waiting[0]
  assert.deepEqual(order.at(-1), '3')
  first()
  third?.()
  await waiting[1]
  assert.deepEqual(order.at(-1), '4')
  await enter('5')
})

test('one that no longer waits has no turn', async () => {
  const lanes = new Lanes(1)
  const leave = await lanes.enter('a', never)
  const late = new AbortController()
  const gone = assert.rejects(lanes.enter('a', late.signal), { name: 'AbortError' })
  const next = lanes.enter('a', never)
  late.abort()
  await gone
  leave()
  const nextLeaves = await next
  nextLeaves()
  await assert.rejects(lanes.enter('a', late.signal), { name: 'AbortError' })
  await lanes.enter('a', never)
})
