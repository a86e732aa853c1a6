import { refuseEntity } from '#iam/entity-refusals.ts'
import { parsePolicy } from '#iam/policy/document.ts'
import type { Reader } from '#metadata/metadata.ts'

/** The policy of a role that says who may assume it: what it may hold, and that whom it names exists. */

/** Imposed by IAM ("IAM and AWS STS quotas"), in characters that are no white space. */
const longestTrustPolicy = 2_048

/** @throws Refusal `PolicyMalformed`, `EntityQuotaExceeded`, `TrustedPrincipalUnknown` */
export async function requireTrustPolicy(reader: Reader, text: string): Promise<void> {
  if (text.replace(/\s/g, '').length > longestTrustPolicy) {
    throw refuseEntity('EntityQuotaExceeded', { quota: 'trust policy size', limit: longestTrustPolicy })
  }
  const { statements } = parsePolicy(text, 'trust')
  const names = new Set(statements.flatMap(({ principals }) => principals?.names ?? []))
  for (const name of names) {
    if (!(await exists(reader, name))) throw refuseEntity('TrustedPrincipalUnknown', { principal: name })
  }
}

const principalPattern = /^arn:[^:]*:(?:iam|sts)::(\d{12}):(root|user|role|assumed-role)(?:(\/.*))?$/

/**
 * A user or role that is created later under a name that was free must not find itself trusted. Services and identity providers
 * are trusted by names that nobody here gives.
 */
async function exists(reader: Reader, principal: string): Promise<boolean> {
  const [, account = '', kind, resource = ''] = principalPattern.exec(principal) ?? []
  switch (kind) {
    case 'root':
      return isFound(reader.selectFrom('account').select('id').where('id', '=', account))
    case 'user':
    case 'role': {
      const path = resource.slice(0, resource.lastIndexOf('/') + 1)
      const named = reader
        .selectFrom(kind === 'user' ? 'iam_user' : 'iam_role')
        .select('id')
        .where('account', '=', account)
      return isFound(named.where('path', '=', path).where('name', '=', resource.slice(path.length)))
    }
    case 'assumed-role': {
      const [, role = ''] = resource.split('/')
      return isFound(reader.selectFrom('iam_role').select('id').where('account', '=', account).where('name', '=', role))
    }
    default:
      return true
  }
}

async function isFound(query: { executeTakeFirst(): Promise<object | undefined> }): Promise<boolean> {
  return (await query.executeTakeFirst()) !== undefined
}
