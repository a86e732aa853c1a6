/** A list of a table's columns lacks none of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allColumns } from '#metadata/all-columns.ts'

interface Pair {
  left: string
  right: number
}

test('a list has the columns in the order that its author chose', () => {
  assert.deepEqual(allColumns<Pair>()(['right', 'left']), ['right', 'left'])
})

test('a list that lacks a column, or has one too many, does not compile', () => {
  // @ts-expect-error: `right` is missing.
  allColumns<Pair>()(['left'])
  // @ts-expect-error: there is no `middle`.
  allColumns<Pair>()(['left', 'middle', 'right'])
})
