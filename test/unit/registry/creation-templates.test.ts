/** Which template a repository is made by: of those for the occasion, the one whose prefix covers the name most closely. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { parseRepositoryPrefix } from '#names/repository-prefix.ts'
import { type CreationReason, type CreationTemplate, findTemplate } from '#registry/creation-templates.ts'

const registry = { account: parseAccountId('000000000000'), region: parseRegion('us-east-1') }

function template(prefix: string, ...appliedFor: CreationReason[]): CreationTemplate {
  return {
    registry,
    prefix: parseRepositoryPrefix(prefix),
    appliedFor,
    tagMutability: { mode: 'MUTABLE', exclusions: [] },
    encryption: { type: 'AES256' },
    resourceTags: {},
    createdAt: 0,
    updatedAt: 0,
  }
}

test('a longer prefix that is not for the occasion hides no shorter one that is', () => {
  const templates = [
    template('prod/web', 'REPLICATION'),
    template('prod', 'CREATE_ON_PUSH', 'REPLICATION'),
    template('ROOT', 'PULL_THROUGH_CACHE'),
  ]
  const found = (name: string, reason: CreationReason) =>
    findTemplate(templates, parseRepositoryName(name), reason)?.prefix
  assert.equal(found('prod/web/app', 'CREATE_ON_PUSH'), 'prod')
  assert.equal(found('prod/web/app', 'REPLICATION'), 'prod/web')
  assert.equal(found('prod/web', 'REPLICATION'), 'prod')
  assert.equal(found('prod/web/app', 'PULL_THROUGH_CACHE'), 'ROOT')
  assert.equal(found('production/app', 'CREATE_ON_PUSH'), undefined)
})

test('the template that is found is for the occasion, covers the name, and nothing closer is and does', () => {
  const reasons: CreationReason[] = ['CREATE_ON_PUSH', 'PULL_THROUGH_CACHE', 'REPLICATION']
  const segments = fc.array(fc.constantFrom('aa', 'bb', 'a'), { minLength: 1, maxLength: 4 })
  const templates = fc.uniqueArray(
    fc
      .tuple(
        fc.oneof(
          segments.map((parts) => parts.join('/')),
          fc.constant('ROOT'),
        ),
        fc.subarray(reasons),
      )
      .map(([prefix, applied]) => template(prefix, ...applied)),
    { selector: ({ prefix }) => prefix, maxLength: 8 },
  )
  const covers = (prefix: string, name: string) => prefix === 'ROOT' || name.startsWith(`${prefix}/`)
  const closeness = (prefix: string) => (prefix === 'ROOT' ? 0 : prefix.length)
  fc.assert(
    fc.property(templates, segments, fc.constantFrom(...reasons), (templates, parts, reason) => {
      const name = parseRepositoryName(`aa/${parts.join('/')}`)
      const fit = templates.filter(({ prefix, appliedFor }) => appliedFor.includes(reason) && covers(prefix, name))
      const found = findTemplate(templates, name, reason)
      assert.equal(found !== undefined, fit.length > 0)
      if (found === undefined) return
      assert.ok(fit.includes(found))
      assert.ok(fit.every(({ prefix }) => closeness(prefix) <= closeness(found.prefix)))
    }),
  )
})
