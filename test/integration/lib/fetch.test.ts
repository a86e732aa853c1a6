import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { createFetch, FetchFailure, type FetchOptions } from '#lib/fetch.ts'
import { selfSigned } from '#test/fixtures/tls/pair.ts'
import { startOidcIssuer } from '#test/support/oidc-issuer.ts'

const configured: FetchOptions = { address: 'configured', maxBytes: 1_000, party: 'one', deadlineMs: 10_000 }

async function issuer(t: TestContext) {
  const started = await startOidcIssuer()
  t.after(() => started[Symbol.asyncDispose]())
  return started
}

const fetch = createFetch({ certificates: [selfSigned.cert] })
const fails = (message: RegExp) => (error: unknown) => error instanceof FetchFailure && message.test(error.message)

describe('the client of outgoing requests', () => {
  test('gives status and body', async (t) => {
    const server = await issuer(t)
    server.answer('/x', (response) => response.writeHead(418).end('short'))
    const { status, body } = await fetch(new URL(`${server.url}/x`), configured)
    assert.deepEqual([status, body.toString()], [418, 'short'])
  })

  test('believes no certificate that nobody trusts', async (t) => {
    const { url } = await issuer(t)
    await assert.rejects(createFetch()(new URL(url), configured), fails(/^no answer$/))
  })

  test('follows no redirect', async (t) => {
    const server = await issuer(t)
    server.answer('/x', (response) => response.writeHead(302, { location: `${server.url}/y` }).end())
    assert.equal((await fetch(new URL(`${server.url}/x`), configured)).status, 302)
    assert.deepEqual(server.requests, ['/x'])
  })

  test('takes no more bytes than it was told, announced or not', async (t) => {
    const server = await issuer(t)
    server.answer('/x', (response) => {
      for (let part = 0; part < 3; part++) response.write('x'.repeat(500))
      response.end()
    })
    await assert.rejects(fetch(new URL(`${server.url}/x`), configured), fails(/larger than 1000 bytes/))
    assert.equal((await fetch(new URL(`${server.url}/x`), { ...configured, maxBytes: 1_500 })).body.length, 1_500)
  })

  test('waits no longer than it was told, for the head or for the body', async (t) => {
    const server = await issuer(t)
    server.answer('/silent', () => undefined)
    server.answer('/slow', (response) => response.write('x'))
    for (const path of ['/silent', '/slow']) {
      await assert.rejects(
        fetch(new URL(`${server.url}${path}`), { ...configured, deadlineMs: 200 }),
        fails(/no answer within 200 ms/),
      )
    }
  })

  test('takes no answer that breaks off', async (t) => {
    const server = await issuer(t)
    server.answer('/x', (response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('x', () => response.destroy())
    })
    await assert.rejects(fetch(new URL(`${server.url}/x`), configured), fails(/^no answer$/))
  })

  test('looks one name up at a time for one party, also after the first request has ended', async (t) => {
    const { url } = await issuer(t)
    const looked: string[] = []
    const silent = Promise.withResolvers<never>()
    const lookUp = (hostname: string) => {
      looked.push(hostname)
      return hostname === 'slow.example' ? silent.promise : Promise.resolve([{ address: '127.0.0.1', family: 4 }])
    }
    const slow = createFetch({ certificates: [selfSigned.cert], lookUp })
    const ask = (name: string, party: string) =>
      slow(new URL(url.replace('127.0.0.1', name)), { ...configured, party, deadlineMs: 200 })
    for (const name of ['slow.example', 'next.example']) await assert.rejects(ask(name, 'one'), fails(/within 200 ms/))
    assert.deepEqual(looked, ['slow.example'])
    assert.equal((await ask('localhost', 'other')).status, 404)
    silent.reject(new Error('no name server'))
    assert.equal((await ask('localhost', 'one')).status, 404)
    assert.deepEqual(looked.slice(1), ['localhost', 'localhost'])
  })

  test('speaks HTTPS alone', async () => {
    await assert.rejects(fetch(new URL('http://127.0.0.1/'), configured), fails(/HTTPS/))
  })

  test('reaches an internal host only where somebody configured it, by number or by name', async (t) => {
    const { url, requests } = await issuer(t)
    const named = url.replace('127.0.0.1', 'localhost')
    for (const each of [url, named]) {
      await assert.rejects(fetch(new URL(each), { ...configured, address: 'public' }), fails(/may not be reached/))
    }
    for (const host of ['10.1.2.3', '192.168.0.1', '[::1]', '[fc00::1]', '[::ffff:10.0.0.1]', '2130706433', '0x7f.1']) {
      await assert.rejects(
        fetch(new URL(`https://${host}/`), { ...configured, address: 'public' }),
        fails(/may not be reached/),
      )
    }
    assert.deepEqual(requests, [])
    assert.equal((await fetch(new URL(named), configured)).status, 404)
  })

  test('never reaches a link-local address', async () => {
    for (const host of [
      '169.254.169.254',
      '[fe80::1]',
      '[fd00:ec2::254]',
      '[::ffff:169.254.169.254]',
      '[64:ff9b::a9fe:a9fe]',
    ]) {
      await assert.rejects(fetch(new URL(`https://${host}/`), configured), fails(/may not be reached/))
    }
  })
})
