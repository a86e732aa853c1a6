/** Name servers that never answer hold up no other name. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { test } from 'node:test'
import { createDnsLookUp } from '#lib/dns-lookup.ts'

/** Answers each question for an IPv4 address of `quick.test`, and nothing else. */
async function startNameServer() {
  const socket = createSocket('udp4')
  socket.on('message', (question, { port, address }) => {
    const isV4 = question.readUInt16BE(12 + 'xquickxtestx'.length) === 1
    if (question.toString('latin1', 13, 18) !== 'quick') return
    const header = Buffer.from(question.subarray(0, 12))
    header.writeUInt16BE(0x8180, 2)
    header.writeUInt16BE(isV4 ? 1 : 0, 6)
    header.fill(0, 8)
    const asked = question.subarray(12, 12 + 'xquickxtestx'.length + 4)
    const answer = Buffer.from('c00c00010001000000000004cb007107', 'hex')
    socket.send(Buffer.concat([header, asked, ...(isV4 ? [answer] : [])]), port, address)
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${socket.address().port}`,
    [Symbol.dispose]: () => socket.close(),
  }
}

test('a name is found beside 50 names of servers that never answer', async () => {
  using server = await startNameServer()
  const lookUp = createDnsLookUp([server.address])
  const silent = Array.from({ length: 50 }, (_, index) => lookUp(`silent-${index}.test`, {}))
  const ended = Promise.allSettled(silent)
  const startedAt = performance.now()
  assert.deepEqual(await lookUp('quick.test', {}), [{ address: '203.0.113.7', family: 4 }])
  await lookup('localhost')
  assert.ok(performance.now() - startedAt < 2_000)
  for (const each of await ended) {
    assert.equal(each.status === 'rejected' && each.reason.code, 'ENOTFOUND')
  }
})
