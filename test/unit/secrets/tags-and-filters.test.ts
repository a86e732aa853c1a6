/** Tags of secrets and filters of their lists. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { matchesAll } from '#secrets/filters.ts'
import { withoutSecretTags, withSecretTags } from '#secrets/secret-tags.ts'

describe('tags of a secret', () => {
  test('are added, overwritten and removed by their keys as they are written', () => {
    const tags = withSecretTags({ team: 'web' }, [
      { key: 'team', value: 'ops' },
      { key: 'Team', value: 'x' },
      { key: '__proto__', value: 'y' },
    ])
    assert.deepEqual(Object.entries(tags), [
      ['team', 'ops'],
      ['Team', 'x'],
      ['__proto__', 'y'],
    ])
    assert.deepEqual(Object.keys(withoutSecretTags(tags, ['team', 'none'])), ['Team', '__proto__'])
  })

  test('are at most fifty, each given once, and none is of AWS', () => {
    const tags = (count: number) => Array.from({ length: count }, (_, at) => ({ key: `k${at}`, value: '' }))
    const full = withSecretTags({}, tags(50))
    assert.equal(Object.keys(withSecretTags(full, tags(50))).length, 50)
    assert.throws(() => withSecretTags(full, [{ key: 'more', value: '' }]), { code: 'SecretTagsTooMany' })
    assert.throws(() => withSecretTags({}, [...tags(1), ...tags(1)]), { code: 'SecretTagInvalid' })
    assert.throws(() => withSecretTags({}, [{ key: 'AWS:x', value: '' }]), { code: 'SecretTagInvalid' })
  })
})

test('a filter takes one of its values, none of those that begin with an exclamation mark, and all filters hold', () => {
  const secret = { name: 'ecr-pullthroughcache/hub', description: 'Docker Hub', tagKeys: ['Team'], tagValues: ['web'] }
  const held = (
    key: 'name' | 'description' | 'tag-key' | 'tag-value' | 'all' | 'owning-service',
    ...values: string[]
  ) => matchesAll([{ key, values }], secret)
  assert.deepEqual(
    [held('name', 'hub'), held('name', 'x', 'ecr-pull'), held('name', '!ecr-pull')],
    [false, true, false],
  )
  assert.deepEqual([held('description', 'docker h'), held('description', 'hub')], [true, false])
  assert.deepEqual([held('tag-key', 'team'), held('tag-key', 'Te'), held('tag-value', 'w')], [false, true, true])
  assert.deepEqual(
    [held('all', 'HUB docker'), held('all', 'hub nothing'), held('owning-service', 'ecr')],
    [true, false, false],
  )
  const [holds, fails] = [{ key: 'name', values: ['ecr'] } as const, { key: 'all', values: ['nothing'] } as const]
  assert.deepEqual([matchesAll([holds, holds], secret), matchesAll([holds, fails], secret)], [true, false])
  assert.equal(matchesAll([], secret), true)
})
