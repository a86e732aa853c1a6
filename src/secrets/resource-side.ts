import type { FindResourceSide } from '#iam/authorize.ts'
import type { Reader } from '#metadata/metadata.ts'
import { isRegion } from '#names/region.ts'
import { parseSecretArn } from '#names/secret-name.ts'
import { findSecret, parseSecret } from './secret-rows.ts'

/** What a secret says of who may act on it: its tags. Secrets have no policies of their own here. */
export function createSecretSide({ reader }: { readonly reader: Reader }): FindResourceSide {
  return async ({ action, resource }) => {
    const parsed = action === creation ? undefined : parseSecretArn(resource)
    if (parsed === undefined || !isRegion(parsed.region)) return { policies: [], tags: {} }
    const row = await findSecret(reader, { account: parsed.account, region: parsed.region }, resource)
    return { policies: [], tags: row === undefined ? {} : parseSecret(row).tags }
  }
}

export function isSecretResource(resource: string): boolean {
  return resource.startsWith('arn:aws:secretsmanager:')
}

/** Is about a secret that is not there yet. The tags of one that has the name would reveal it. */
const creation = 'secretsmanager:CreateSecret'
