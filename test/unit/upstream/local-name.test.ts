/** Which repository of the cache is meant by an upstream's host and the name that a repository has there. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { isRepositoryName, parseRepositoryName } from '#names/repository-name.ts'
import { parseRepositoryPrefix } from '#names/repository-prefix.ts'
import type { CacheRule } from '#upstream/cache-rules.ts'
import { defaultRuleSettings } from '#upstream/rule-settings.ts'
import { findLocalName, findMirrored, findUpstream } from '#upstream/upstream-name.ts'
import { kindOfUpstream } from '#upstream/upstreams.ts'

const registry = { account: parseAccountId('000000000000'), region: parseRegion('us-east-1') }
const none = { areForbidden: false, isListed: () => false, ownRegistryAt: () => undefined }
const hub = 'registry-1.docker.io'

function rule(prefix: string, upstreamUrl: string, upstreamPrefix?: string): CacheRule {
  const upstream = kindOfUpstream(upstreamUrl, none)
  return {
    registry,
    prefix: parseRepositoryPrefix(prefix),
    upstream: upstream === 'other' ? undefined : upstream,
    upstreamUrl,
    upstreamPrefix: upstreamPrefix === undefined ? undefined : parseRepositoryPrefix(upstreamPrefix),
    createdAt: 0,
    updatedAt: 0,
    settings: defaultRuleSettings,
  }
}

const segments = fc
  .array(fc.constantFrom('aa', 'bb', 'c'), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('/'))
const prefixes = fc.oneof(segments, fc.constant('ROOT'))
const ruleSets = fc
  .uniqueArray(fc.tuple(prefixes, fc.constantFrom(hub, 'quay.io'), fc.option(prefixes, { nil: undefined })), {
    selector: ([prefix]) => prefix,
    maxLength: 5,
  })
  .map((rules) =>
    rules.map(([prefix, host, upstreamPrefix]) => rule(prefix, host, prefix === 'ROOT' ? undefined : upstreamPrefix)),
  )
const names = segments.filter(isRepositoryName)

test('what is found is a copy of what was asked for, by any order of the rules', () => {
  fc.assert(
    fc.property(ruleSets, fc.constantFrom(hub, 'quay.io'), segments, (rules, host, upstreamName) => {
      const name = findLocalName(rules, host, upstreamName)
      assert.equal(findLocalName(rules.toReversed(), host, upstreamName), name)
      if (name === undefined) return
      const found = findUpstream(rules, name)
      assert.equal(found?.upstreamName, upstreamName)
      assert.equal(found.rule.upstreamUrl, host)
    }),
  )
})

test('each copy is found by its upstream', () => {
  fc.assert(
    fc.property(ruleSets, names, (rules, name) => {
      const upstream = findUpstream(rules, name)
      if (upstream === undefined) return
      const { upstreamUrl } = upstream.rule
      const found = findLocalName(rules, upstreamUrl, upstream.upstreamName)
      assert.ok(found !== undefined)
      assert.equal(findUpstream(rules, found)?.upstreamName, upstream.upstreamName)
    }),
  )
})

test('the rule with the longest upstream prefix counts, then ROOT or the shortest prefix', () => {
  const rules = [
    rule('hub', hub),
    rule('team-a/hub', hub),
    rule('ours', hub, 'company'),
    rule('quay', 'quay.io'),
    rule('k8s', 'registry.k8s.io'),
  ]
  const local = (host: string, name: string, more: readonly CacheRule[] = []) =>
    findLocalName([...rules, ...more], host, name)
  assert.equal(local(hub, 'library/alpine'), 'hub/library/alpine')
  assert.equal(local(hub, 'company/app'), 'ours/app')
  assert.equal(local(hub, 'company2/app'), 'hub/company2/app')
  assert.equal(local('quay.io', 'company/app'), 'quay/company/app')
  assert.equal(local('registry.k8s.io', 'pause'), 'k8s/pause')
  assert.equal(local('ghcr.io', 'company/app'), undefined)
  assert.equal(local(hub, 'library/alpine', [rule('ROOT', hub)]), 'library/alpine')
  // Below ROOT, another rule covers the name: it would be a copy of something else.
  assert.equal(local(hub, 'quay/alpine', [rule('ROOT', hub)]), 'hub/quay/alpine')
  assert.equal(local(hub, `a/${'b'.repeat(253)}`), undefined)
})

test('a path with the prefix before it is meant as it is, unless the upstream can have no such repository', () => {
  const rules = [rule('docker-hub', hub), rule('quay', 'quay.io'), rule('library', hub, 'library')]
  const table: readonly [host: string, path: string, name: string | undefined][] = [
    ['docker.io', 'nginx/nginx', 'docker-hub/nginx/nginx'],
    ['INDEX.docker.io', 'nginx/nginx', 'docker-hub/nginx/nginx'],
    [hub, 'docker-hub/nginx/nginx', 'docker-hub/nginx/nginx'],
    ['docker.io', 'library/alpine', 'library/alpine'],
    ['docker.io', 'docker-hub/library/alpine', 'docker-hub/library/alpine'],
    ['quay.io', 'quay/busybox', 'quay/quay/busybox'],
    ['quay.io', 'quay/quay/busybox', 'quay/quay/busybox'],
    ['quay.io', 'docker-hub/library/alpine', 'quay/docker-hub/library/alpine'],
    ['gcr.io', 'library/alpine', undefined],
  ]
  for (const [host, path, name] of table) {
    assert.equal(findMirrored(rules, host, parseRepositoryName(path)), name, `${host} ${path}`)
  }
})
