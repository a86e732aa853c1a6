/** Receivers of one account do not take the sockets of another account. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSockets } from '#events/webhooks/sockets.ts'
import { parseAccountId } from '#names/account.ts'

const [one, other] = [parseAccountId('111111111111'), parseAccountId('222222222222')]
const { signal } = new AbortController()

test('a webhook of another account has sockets while 300 webhooks of one account keep theirs', async () => {
  const sockets = createSockets()
  let entered = 0
  for (let count = 0; count < 300; count++) {
    const enter = sockets.ofWebhook(one)
    for (let message = 0; message < 2; message++) void enter(signal).then(() => entered++)
  }
  const enter = sockets.ofWebhook(other)
  await enter(signal)
  await enter(signal)
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok(entered >= 100 && entered < 150, `${entered} sockets of the one account`)
})

test('a webhook that leaves its sockets makes room for others of its account', async () => {
  const sockets = createSockets()
  const leaves: (() => void)[] = []
  const entering = Array.from({ length: 150 }, () =>
    sockets
      .ofWebhook(one)(signal)
      .then((leave) => void leaves.push(leave)),
  )
  for (let left = 0; left < 150; ) {
    await new Promise((resolve) => setImmediate(resolve))
    for (const leave of leaves.splice(0)) {
      leave()
      left++
    }
  }
  await Promise.all(entering)
})
