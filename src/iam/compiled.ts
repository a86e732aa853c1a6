import { hash } from 'node:crypto'
import { BoundedMap } from '#lib/bounded-map.ts'
import { compilePolicy, type Policy } from './policy/compile.ts'
import { type PolicyKind, parsePolicy } from './policy/document.ts'

/**
 * Makes a stored document ready to be asked, once for each text. `name` is what decisions cite it by.
 *
 * @throws Refusal `PolicyMalformed`, which no document does that was parsed before it was stored
 */
export type CompileDocument = (name: string, document: string, kind: PolicyKind) => Policy

/**
 * In characters of documents, each counted as a thousand more. A document of many short patterns takes up to a hundred bytes for each
 * character, so that this bounds what is remembered to some 200 MB.
 */
const remembered = 2_000_000
const weigh = ({ document = '' }: Policy) => document.length + 1_000
/** White space does not count against the quotas of documents, so that one may have a hundred thousand characters and say little. */
const longestKey = 12_000

export function createCompiler(): CompileDocument {
  const compiled = new BoundedMap<string, Policy>(remembered, weigh)
  return (name, document, kind) => {
    const text = document.length > longestKey ? hash('sha256', document) : document
    const key = `${kind}\n${name}\n${text}`
    let policy = compiled.get(key)
    if (policy === undefined) {
      policy = { ...compilePolicy(name, parsePolicy(document, kind)), document }
      compiled.set(key, policy)
    }
    return policy
  }
}
