/** What of a policy document counts: as at AWS no white space, unless there is hardly anything else. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { documentSize } from '#iam/policies/document-size.ts'

const document = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['ecr:*', 'sts:*'], Resource: '*' }] }

test('indentation counts for nothing', () => {
  const text = JSON.stringify(document)
  assert.equal(documentSize(text), text.length)
  assert.equal(documentSize(JSON.stringify(document, undefined, 8)), text.length)
})

test('a document that is white space for the most part counts by its length', () => {
  assert.equal(documentSize(`${JSON.stringify(document)}${' '.repeat(130_000)}`) > 16_000, true)
})
