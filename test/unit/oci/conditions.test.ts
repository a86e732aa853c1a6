/** Conditions of requests for content, which has its digest for an entity tag. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDigest } from '#names/digest.ts'
import { isNotModified } from '#oci/conditions.ts'

const digest = parseDigest(`sha256:${'a'.repeat(64)}`)
const other = `"sha256:${'b'.repeat(64)}"`
const own = `"${digest}"`

test('without a condition the content is sent', () => {
  assert.equal(isNotModified({}, digest), false)
})

test('If-None-Match with its tag, weak or bare or among others, or with a star, keeps the content back', () => {
  for (const header of [own, `W/${own}`, digest, `${other}, ${own}`, `${other},${digest}`, '*']) {
    assert.equal(isNotModified({ 'if-none-match': header }, digest), true, header)
  }
  for (const header of [other, '', '""', own.toUpperCase()]) {
    assert.equal(isNotModified({ 'if-none-match': header }, digest), false, header)
  }
})

test('If-Match without its tag is refused, also where If-None-Match has it', () => {
  for (const header of [own, digest, `${other}, ${own}`, '*']) {
    assert.equal(isNotModified({ 'if-match': header }, digest), false, header)
    assert.equal(isNotModified({ 'if-match': header, 'if-none-match': own }, digest), true, header)
  }
  for (const header of [other, `W/${own}`, '']) {
    assert.throws(() => isNotModified({ 'if-match': header, 'if-none-match': own }, digest), {
      code: 'PreconditionFailed',
    })
  }
})
