import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { escapeXml, xmlDocument } from '#aws/xml.ts'

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", '#13': '\r' }

test('escaped text holds no markup, and an XML parser reads it back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const escaped = escapeXml(text)
      assert.doesNotMatch(escaped, /[<>"'\r]|&(?!(?:amp|lt|gt|quot|apos|#13);)/)
      const read = escaped.replace(/&([^;]+);/g, (_, name: string) => named[name] ?? '')
      const representable = Array.from(text, (character) =>
        /^[\t\n\r -\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]$/u.test(character) ? character : '\uFFFD',
      )
      assert.equal(read, representable.join(''))
    }),
    { numRuns: 1000 },
  )
})

test('a document nests its elements and leaves out those without a value', () => {
  assert.equal(
    xmlDocument('A', 'urn:x', { B: { C: '1 < 2', D: undefined }, E: '' }),
    '<A xmlns="urn:x"><B><C>1 &lt; 2</C></B><E></E></A>\n',
  )
})
