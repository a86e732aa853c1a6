import { BoundedMap } from '#lib/bounded-map.ts'
import { compilePolicy, type Policy } from './policy/compile.ts'
import { type PolicyKind, parsePolicy } from './policy/document.ts'

/**
 * Makes a stored document ready to be asked, once for each text. `name` is what decisions cite it by.
 *
 * @throws Refusal `PolicyMalformed`, which no document does that was parsed before it was stored
 */
export type CompileDocument = (name: string, document: string, kind: PolicyKind) => Policy

/** Some ten thousand characters each at most. */
const remembered = 1_000

export function createCompiler(): CompileDocument {
  const compiled = new BoundedMap<string, Policy>(remembered)
  return (name, document, kind) => {
    const key = `${kind}\n${name}\n${document}`
    let policy = compiled.get(key)
    if (policy === undefined) {
      policy = compilePolicy(name, parsePolicy(document, kind))
      compiled.set(key, policy)
    }
    return policy
  }
}
