import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseUpstreams } from '#config/upstreams.ts'

test('hosts are read with and without port and URL', () => {
  assert.equal(parseUpstreams(' none '), 'none')
  assert.deepEqual(
    parseUpstreams('Registry.Example.com, 10.0.0.5:5000,[::1]:5001,quay.io=https://mirror.example/v2/quay'),
    [
      { host: 'registry.example.com', url: undefined },
      { host: '10.0.0.5:5000', url: undefined },
      { host: '[::1]:5001', url: undefined },
      { host: 'quay.io', url: 'https://mirror.example/v2/quay' },
    ],
  )
})

test("Docker Hub's other names mean its registry", () => {
  assert.deepEqual(parseUpstreams('docker.io=http://127.0.0.1:5001'), [
    { host: 'registry-1.docker.io', url: 'http://127.0.0.1:5001/' },
  ])
})

for (const text of [
  '',
  ',',
  'a.example,',
  'a.example,a.example',
  'docker.io,index.docker.io',
  'https://a.example',
  'a.example/path',
  'a.example:0',
  'a.example:65536',
  'a.example=',
  'a.example=mirror.example',
  'a.example=ftp://mirror.example',
  'a.example=https://user:password@mirror.example',
  'a.example=https://mirror.example?x',
  'user@a.example',
  '0x7f.1',
  '[::1',
  'a b.example',
]) {
  test(`${JSON.stringify(text)} names no upstreams`, () => {
    assert.equal(parseUpstreams(text), undefined)
  })
}
