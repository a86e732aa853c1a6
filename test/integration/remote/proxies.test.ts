import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { createRemotes } from '#remote/remotes.ts'
import { startProxyRecorder } from '#test/support/proxy-recorder.ts'
import { startHub } from '#test/support/upstreams/hub.ts'
import { connect, dockerHub, failure } from '#test/support/upstreams/remote.ts'

test('an upstream is asked through the proxy, unless NO_PROXY names it or it is on loopback', async () => {
  await using proxy = await startProxyRecorder()
  await using hub = await startHub()
  const proxies = { httpsProxy: String(proxy.environment.HTTPS_PROXY), httpProxy: '', noProxy: 'quay.io' }
  const lookUp = async () => [{ address: '10.0.0.1', family: 4 }]
  await using remotes = createRemotes({ hosts: [], isKnown: () => true, clock: systemClock, proxies, lookUp })

  await assert.rejects(remotes.connect(dockerHub, { kind: 'none' }).check(), failure('unreachable'))
  await assert.rejects(remotes.connect('quay.io', { kind: 'none' }).check(), failure('blocked'))
  await using local = connect(hub, { proxies })
  await local.check()
  assert.deepEqual([...proxy.hosts], [dockerHub])
})
