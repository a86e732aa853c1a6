/** Filters of scanning rules, by the table of ECR's user guide. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { matchesScanningFilter } from '#scanning/filters.ts'

const table = {
  prod: { takes: ['prod', 'prod-repo', 'repo-prod', 'x-prod-y'], leaves: ['dev', 'pro', 'pr/od'] },
  '*prod': { takes: ['prod', 'repo-prod', 'team/prod'], leaves: ['prod-repo', 'dev'] },
  'prod*': { takes: ['prod', 'prod-repo', 'prodrepo', 'prod/app'], leaves: ['repo-prod', 'dev'] },
  '*prod*': { takes: ['prod', 'prod-repo', 'repo-prod', 'x-prod-y', 'prodrepo'], leaves: ['dev'] },
  'prod*repo': { takes: ['prod-repo', 'prodrepo', 'prod/x/repo'], leaves: ['repo-prod', 'prod', 'prod-repo-2'] },
  '*': { takes: ['prod', 'a/b/c'], leaves: [] },
}

for (const [filter, { takes, leaves }] of Object.entries(table)) {
  test(`'${filter}' takes and leaves what the guide says`, () => {
    for (const name of takes) assert.ok(matchesScanningFilter(filter, name), name)
    for (const name of leaves) assert.ok(!matchesScanningFilter(filter, name), name)
  })
}

const part = fc.string({ unit: fc.constantFrom('a', 'b', '/', '-'), maxLength: 5 })

test('a filter without a wildcard is one with wildcards around it', () => {
  fc.assert(
    fc.property(part, part, (filter, name) => {
      fc.pre(filter !== '')
      assert.equal(matchesScanningFilter(filter, name), matchesScanningFilter(`*${filter}*`, name))
    }),
  )
})

test('a filter with one wildcard takes the names with its beginning and its end', () => {
  fc.assert(
    fc.property(part, part, part, (begin, end, middle) => {
      assert.ok(matchesScanningFilter(`${begin}*${end}`, begin + middle + end))
    }),
  )
})
