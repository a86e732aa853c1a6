/** Which upstream an address is one of, and what a repository of the cache is called there. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseAccountId } from '#names/account.ts'
import { createEndpoints } from '#names/endpoints.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { parseRepositoryPrefix, prefixesCovering } from '#names/repository-prefix.ts'
import type { CacheRule } from '#upstream/cache-rules.ts'
import { defaultRuleSettings } from '#upstream/rule-settings.ts'
import { findUpstream } from '#upstream/upstream-name.ts'
import { isOwnRegistry, kindOfUpstream, needsCredential, needsRole, type UpstreamHosts } from '#upstream/upstreams.ts'
import model from '../../../src/ecr/model.json' with { type: 'json' }

const registry = { account: parseAccountId('000000000000'), region: parseRegion('us-east-1') }

/** A deployment below `registry.example`. Its operator lists these hosts. */
function knowing(...listed: string[]): UpstreamHosts {
  const { ownRegistryAt } = createEndpoints({
    domain: 'registry.example',
    publicUrl: 'https://registry.example:8443',
    listeningUrl: () => 'http://127.0.0.1:5000',
  })
  return { areForbidden: false, isListed: (host) => listed.includes(host), ownRegistryAt }
}
const usual = knowing()

function rule(prefix: string, upstreamPrefix?: string): CacheRule {
  return {
    registry,
    prefix: parseRepositoryPrefix(prefix),
    upstream: 'quay',
    upstreamUrl: 'quay.io',
    upstreamPrefix: upstreamPrefix === undefined ? undefined : parseRepositoryPrefix(upstreamPrefix),
    createdAt: 0,
    updatedAt: 0,
    settings: defaultRuleSettings,
  }
}

const addresses: readonly [url: string, kind: string | undefined, asks: '' | 'secret' | 'role'][] = [
  ['public.ecr.aws', 'ecr-public', ''],
  ['registry.k8s.io', 'k8s', ''],
  ['quay.io', 'quay', ''],
  ['registry-1.docker.io', 'docker-hub', 'secret'],
  ['ghcr.io', 'github-container-registry', 'secret'],
  ['registry.gitlab.com', 'gitlab-container-registry', 'secret'],
  ['myregistry.azurecr.io', 'azure-container-registry', 'secret'],
  ['team-b2c3d4.azurecr.io', 'azure-container-registry', 'secret'],
  ['cgr.dev', 'chainguard', 'secret'],
  ['111111111111.dkr.ecr.eu-west-1.amazonaws.com', 'ecr', 'role'],
  ['000000000000.dkr.ecr.eu-west-1.amazonaws.com', 'ecr', ''],
]

test('each upstream of the API model is known by its address, and by what it asks for', () => {
  for (const [url, kind, asks] of addresses) {
    assert.equal(kindOfUpstream(url, usual), kind, url)
    assert.equal(needsCredential(url, usual), asks === 'secret', url)
    assert.equal(needsRole(url, registry, usual), asks === 'role', url)
  }
  assert.deepEqual(new Set(addresses.map(([, kind]) => kind)), new Set(model.shapes.UpstreamRegistry.enum))
})

test('an address with a scheme, a port, a path or more around it is that of none', () => {
  for (const [url] of addresses) {
    for (const other of [
      `https://${url}`,
      `${url}:443`,
      `${url}/`,
      `${url}/library`,
      `a.${url}.com`,
      ` ${url}`,
      `${url}\n`,
      `${url}.`,
    ]) {
      assert.equal(kindOfUpstream(other, usual), undefined, other)
    }
  }
  const none = [
    '',
    'docker.io',
    'localhost',
    '169.254.169.254',
    'abc.azurecr.io',
    '-abcde.azurecr.io',
    'a.b.azurecr.io',
  ]
  for (const url of [...none, '1.dkr.ecr.us-east-1.amazonaws.com', `${'a'.repeat(100_000)}.azurecr.io`, '__proto__']) {
    assert.equal(kindOfUpstream(url, usual), undefined, url)
  }
})

test('a registry is no upstream of itself, but one of another region is', () => {
  assert.ok(isOwnRegistry('000000000000.dkr.ecr.us-east-1.amazonaws.com', registry, usual))
  assert.ok(!isOwnRegistry('000000000000.dkr.ecr.eu-west-1.amazonaws.com', registry, usual))
  assert.ok(!isOwnRegistry('quay.io', registry, usual))
})

test('a listed host may be any registry, and needs neither a secret nor a role', () => {
  const hosts: readonly [host: string, kind: string][] = [
    ['mirror.example:5000', 'other'],
    ['10.0.0.7', 'other'],
    ['[::1]:5000', 'other'],
    ['docker.io', 'other'],
    ['registry-1.docker.io', 'docker-hub'],
    ['mycompany.azurecr.io', 'azure-container-registry'],
    ['111111111111.dkr.ecr.eu-west-1.amazonaws.com', 'ecr'],
    ['111111111111.dkr.ecr.eu-west-1.lading.example:5000', 'ecr'],
    ['1.dkr.ecr.eu-west-1.lading.example', 'other'],
  ]
  for (const [host, kind] of hosts) {
    const known = knowing(host)
    assert.equal(kindOfUpstream(host, known), kind, host)
    assert.equal(needsCredential(host, known), false, host)
    assert.equal(needsRole(host, registry, known), false, host)
    if (kind === 'other') assert.equal(kindOfUpstream(host, knowing(`${host}0`, 'example')), undefined, host)
  }
})

test('a host below the domain of the deployment is one of its registries, at its own ports alone', () => {
  const abroad = '000000000000.dkr.ecr.eu-west-1.registry.example'
  const others = '111111111111.dkr.ecr.us-east-1.registry.example'
  for (const port of ['', ':8443', ':5000']) {
    assert.equal(kindOfUpstream(`${abroad}${port}`, usual), 'ecr')
    assert.equal(needsRole(`${abroad}${port}`, registry, usual), false)
    assert.equal(isOwnRegistry(`${abroad}${port}`, registry, usual), false)
    assert.equal(needsRole(`${others}${port}`, registry, usual), true)
  }
  for (const end of [':22', '.', ':8443.', '/', ':', '.example']) {
    assert.equal(kindOfUpstream(`${abroad}${end}`, usual), undefined, end)
  }
  for (const host of ['team.registry.example', 'registry.example', '1.dkr.ecr.us-east-1.registry.example']) {
    assert.equal(kindOfUpstream(host, usual), undefined, host)
  }
  const own = '000000000000.dkr.ecr.us-east-1.registry.example:5000'
  assert.ok(isOwnRegistry(own, registry, usual))
  assert.ok(isOwnRegistry(own, registry, knowing(own)))
})

test('an operator who lists the host of AWS means AWS, also where account and region are those of the registry', () => {
  const atAws = '000000000000.dkr.ecr.us-east-1.amazonaws.com'
  assert.ok(isOwnRegistry(atAws, registry, usual))
  assert.ok(!isOwnRegistry(atAws, registry, knowing(atAws)))
})

test('the upstream prefix takes the place of the prefix, and ROOT is none', () => {
  const table: readonly [prefix: string, upstreamPrefix: string | undefined, name: string, upstreamName: string][] = [
    ['ecr-public', 'ROOT', 'ecr-public/my-app/image1', 'my-app/image1'],
    ['ROOT', 'ROOT', 'my-app/image1', 'my-app/image1'],
    ['team-a', 'team-a', 'team-a/myapp/image1', 'team-a/myapp/image1'],
    ['my-app', 'upstream-app', 'my-app/image1', 'upstream-app/image1'],
    ['docker-hub', undefined, 'docker-hub/x', 'x'],
    ['ROOT', undefined, 'my-app/image1', 'my-app/image1'],
    ['a/b', 'c/d', 'a/b/e/f', 'c/d/e/f'],
  ]
  for (const [prefix, upstreamPrefix, name, upstreamName] of table) {
    const only = rule(prefix, upstreamPrefix)
    assert.deepEqual(findUpstream([only], parseRepositoryName(name)), { rule: only, upstreamName })
  }
})

test('a repository falls under the rule of the longest prefix before a slash, and under ROOT last', () => {
  const [hub, library, root] = [rule('docker-hub'), rule('docker-hub/library', 'mirror'), rule('ROOT')]
  const found = (name: string, ...rules: CacheRule[]) => findUpstream(rules, parseRepositoryName(name))?.rule
  assert.equal(found('docker-hub/library/nginx', hub, library, root), library)
  assert.equal(found('docker-hub/library', hub, library, root), hub)
  assert.equal(found('docker-hub2/x', hub, library, root), root)
  assert.equal(found('docker-hub2/x', hub, library), undefined)
  assert.equal(found('docker-hub', hub), undefined)
})

test('two repositories under one rule are never the same upstream', () => {
  const segments = fc.array(fc.constantFrom('aa', 'bb', 'c'), { minLength: 1, maxLength: 4 })
  const prefix = fc.oneof(
    segments.map((parts) => parts.join('/')),
    fc.constant('ROOT'),
  )
  const name = segments.map((parts) => parseRepositoryName(`aa/${parts.join('/')}`))
  fc.assert(
    fc.property(prefix, prefix, name, name, (prefix, upstreamPrefix, one, other) => {
      const only = rule(prefix, upstreamPrefix)
      const [first, second] = [findUpstream([only], one), findUpstream([only], other)]
      assert.equal(first !== undefined, prefixesCovering(one).includes(only.prefix))
      if (first !== undefined && second !== undefined && one !== other) {
        assert.notEqual(first.upstreamName, second.upstreamName)
      }
    }),
  )
})
