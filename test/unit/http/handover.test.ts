import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { Handover } from '#http/handover.ts'

test('connections beyond those that may wait for a worker are closed and noted', () => {
  const noted: number[] = []
  const handover = new Handover(2, { note: ({ open }) => void noted.push(open) })
  const sockets = [new Socket(), new Socket(), new Socket()]
  for (const socket of sockets) handover.accept(socket)
  assert.deepEqual(
    sockets.map(({ destroyed }) => destroyed),
    [false, false, true],
  )
  assert.deepEqual(noted, [2])
  handover.close()
  assert.ok(sockets.every(({ destroyed }) => destroyed))
})
