/** Patterns and events of few names and values, so that they often fit. */
import fc from 'fast-check'

const text = fc.string({ unit: fc.constantFrom('x', 'X', 'y', '*', '\\'), maxLength: 3 })
const number = fc.constantFrom(-5e9, -1, 0, 0.5, 1, 2, 5e9)
const primitive = fc.oneof(text, number, fc.boolean(), fc.constant(null))

const wildcard = fc
  .array(fc.constantFrom('*', '\\*', '\\\\', 'x', 'X', 'y', '?'), { maxLength: 4 })
  .map((pieces) => pieces.filter((piece, index) => piece !== '*' || pieces[index - 1] !== '*').join(''))

const someText = text.filter((text) => text !== '')
const oneOrMore = <T>(values: fc.Arbitrary<T>) => fc.oneof(values, fc.array(values, { minLength: 1, maxLength: 3 }))
const ignoringCase = fc.record({ 'equals-ignore-case': text })
const upper = fc.constantFrom('<', '<=')
const lower = fc.constantFrom('>', '>=')

const operator = fc.oneof(
  fc.record({ prefix: fc.oneof(text, ignoringCase) }),
  fc.record({ suffix: fc.oneof(text, ignoringCase) }),
  ignoringCase,
  fc.record({ wildcard }),
  fc.record({ exists: fc.boolean() }),
  fc.record({ numeric: fc.tuple(fc.oneof(fc.constant('='), lower, upper), number) }),
  fc.record({ numeric: fc.tuple(lower, fc.constantFrom(-5e9, 0, 0.5), upper, fc.constantFrom(1, 2, 5e9)) }),
  fc.record({ 'anything-but': fc.oneof(oneOrMore(text), oneOrMore(number)) }),
  fc.record({ 'anything-but': fc.record({ prefix: oneOrMore(someText) }) }),
  fc.record({ 'anything-but': fc.record({ suffix: oneOrMore(someText) }) }),
  fc.record({ 'anything-but': fc.record({ 'equals-ignore-case': oneOrMore(text) }) }),
  fc.record({ 'anything-but': fc.record({ wildcard: oneOrMore(wildcard) }) }),
)

const list = fc.array(fc.oneof(primitive, operator, fc.constant({ exists: false })), { minLength: 1, maxLength: 3 })

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }
export type JsonObject = { readonly [name: string]: Json }

/** Names of fields of a pattern, and of those within `$or`, so that few patterns ask twice for one field. */
const outer = fc.constantFrom('a', 'b', 'a.b')
const inner = fc.constantFrom('c', 'd', 'a.c')

/** Some ask twice for a field, which `parsePattern` refuses. */
export const patterns = fc.letrec<{ object: JsonObject; plain: JsonObject; or: JsonObject; alternative: JsonObject }>(
  (tie) => ({
    object: fc.oneof({ weight: 3, arbitrary: tie('plain') }, { weight: 1, arbitrary: tie('or') }),
    plain: fc.dictionary(outer, fc.oneof({ maxDepth: 2 }, list, tie('object')), { minKeys: 1, maxKeys: 2 }),
    or: fc
      .tuple(tie('plain'), fc.array(tie('alternative'), { minLength: 2, maxLength: 3 }))
      .map(([plain, $or]) => ({ ...plain, $or })),
    alternative: fc.dictionary(inner, fc.oneof({ maxDepth: 2 }, list, tie('object')), { minKeys: 1, maxKeys: 2 }),
  }),
).object

const name = fc.oneof({ weight: 4, arbitrary: fc.constantFrom('a', 'b') }, fc.constantFrom('c', 'd'))

/** Objects with dots in their names have no object that leads to the same path. */
export const events = fc.letrec<{ object: JsonObject; value: Json }>((tie) => ({
  object: fc.oneof(
    { weight: 6, arbitrary: fc.dictionary(name, tie('value'), { maxKeys: 3 }) },
    { weight: 1, arbitrary: fc.dictionary(fc.constantFrom('a.b', 'a.c', 'b'), tie('value'), { maxKeys: 2 }) },
  ),
  value: fc.oneof({ maxDepth: 4 }, primitive, tie('object'), fc.array(tie('value'), { maxLength: 3 })),
})).object
