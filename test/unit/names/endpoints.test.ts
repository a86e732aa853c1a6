/** Addresses of registries: what answers name, and which registry a `Host` header means. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseAccountId } from '#names/account.ts'
import { createEndpoints } from '#names/endpoints.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'

const registry = { account: parseAccountId('123456789012'), region: parseRegion('eu-central-1') }
const name = parseRepositoryName('team/app')

describe('endpoints without a domain', () => {
  const endpoints = createEndpoints({ publicUrl: () => 'http://localhost:5100' })

  test('every registry is at the public URL', () => {
    assert.equal(endpoints.proxyEndpoint(registry), 'http://localhost:5100')
    assert.equal(endpoints.repositoryUri(registry, name), 'localhost:5100/team/app')
  })

  test('no host names a registry', () => {
    assert.equal(endpoints.registryAt('123456789012.dkr.ecr.eu-central-1.localhost:5100'), undefined)
  })
})

describe('endpoints with a domain', () => {
  const endpoints = createEndpoints({ publicUrl: () => 'https://example.com', domain: 'Example.com' })

  test('each registry has a host of its own, with the port of the public URL', () => {
    assert.equal(endpoints.proxyEndpoint(registry), 'https://123456789012.dkr.ecr.eu-central-1.Example.com')
    const withPort = createEndpoints({ publicUrl: () => 'http://lab:5100', domain: 'lab' })
    assert.equal(withPort.repositoryUri(registry, name), '123456789012.dkr.ecr.eu-central-1.lab:5100/team/app')
  })

  test('a host of that form names its registry, with any port and in any case', () => {
    for (const host of [
      '123456789012.dkr.ecr.eu-central-1.example.com',
      '123456789012.dkr.ecr.eu-central-1.example.com:5100',
      '123456789012.DKR.ecr.EU-central-1.EXAMPLE.COM',
      '123456789012.dkr.ecr.eu-central-1.example.com.',
      '123456789012.dkr.ecr.eu-central-1.example.com.:5100',
    ]) {
      assert.deepEqual(endpoints.registryAt(host), registry)
    }
  })

  test('any other host names none', () => {
    for (const host of [
      undefined,
      '',
      'example.com',
      'registry.example.com',
      '123456789012.dkr.ecr.eu-central-1.example.org',
      '123456789012.dkr.ecr.eu-central-1.notexample.com',
    ]) {
      assert.equal(endpoints.registryAt(host), undefined)
    }
  })

  test('a host that is shaped like a registry’s and is none is told apart', () => {
    for (const host of [
      '12345678901.dkr.ecr.eu-central-1.example.com',
      'x.123456789012.dkr.ecr.eu-central-1.example.com',
      '123456789012.dkr.ecr.eu.central.example.com',
    ]) {
      assert.equal(endpoints.registryAt(host), 'unresolvable')
    }
  })
})
