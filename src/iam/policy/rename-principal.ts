import { readJson } from '#lib/json.ts'
/** How a user or a role was named, and how it is from now on: by its new ARN, or by its unique id once it is gone. */
export interface PrincipalChange {
  readonly from: string
  readonly to: string
}

interface Stored {
  readonly Statement: StoredStatement | readonly StoredStatement[]
}

interface StoredStatement {
  readonly Principal?: Named
  readonly NotPrincipal?: Named
}

type Named = '*' | { AWS?: string | readonly string[] }

/** The document with its principals named so, where it names that one; `undefined` where it does not. Conditions stay as they are. */
export function renamePrincipal(document: string, { from, to }: PrincipalChange): string | undefined {
  // Was parsed before it was stored.
  const stored = readJson(document) as Stored
  let found = false
  const rename = (name: string) => {
    if (name !== from) return name
    found = true
    return to
  }
  for (const { Principal, NotPrincipal } of [stored.Statement].flat()) {
    for (const named of [Principal, NotPrincipal]) {
      if (named === undefined || named === '*' || named.AWS === undefined) continue
      named.AWS = typeof named.AWS === 'string' ? rename(named.AWS) : named.AWS.map(rename)
    }
  }
  return found ? JSON.stringify(stored) : undefined
}
