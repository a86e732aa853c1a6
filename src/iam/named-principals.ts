import type { Transaction } from '#metadata/metadata.ts'
import type { PolicyDocument } from './policy/document.ts'

/**
 * The first principal that a document names and that is not there, as the document names it. Asked before a policy of a resource
 * is stored: a user or role that is created later under a name that was free must not find itself trusted. Those that are there
 * stay, under their names, until the transaction ends, so that whoever is renamed or deleted finds the policy.
 */
export async function findMissingPrincipal(
  trx: Transaction,
  { statements }: PolicyDocument,
): Promise<string | undefined> {
  const names = new Set(statements.flatMap(({ principals }) => principals?.names ?? []))
  for (const name of names) if (!(await exists(trx, name))) return name
  return undefined
}

const principalPattern = /^arn:[^:]*:(?:iam|sts)::(\d{12}):(root|user|role|assumed-role)(?:(\/.*))?$/s

/** Services and identity providers have names that nobody here gives. */
async function exists(trx: Transaction, principal: string): Promise<boolean> {
  // No name holds a NUL, and PostgreSQL takes no text with one.
  if (principal.includes('\0')) return false
  const [, account = '', kind, resource = ''] = principalPattern.exec(principal) ?? []
  switch (kind) {
    case 'root':
      return isFound(trx.selectFrom('account').select('id').where('id', '=', account))
    case 'user':
    case 'role': {
      const path = resource.slice(0, resource.lastIndexOf('/') + 1)
      const named = trx
        .selectFrom(kind === 'user' ? 'iam_user' : 'iam_role')
        .select('id')
        .where('account', '=', account)
      return isFound(named.where('path', '=', path).where('name', '=', resource.slice(path.length)).forKeyShare())
    }
    case 'assumed-role': {
      const [, role = ''] = resource.split('/')
      return isFound(trx.selectFrom('iam_role').select('id').where('account', '=', account).where('name', '=', role))
    }
    default:
      return true
  }
}

async function isFound(query: { executeTakeFirst(): Promise<object | undefined> }): Promise<boolean> {
  return (await query.executeTakeFirst()) !== undefined
}
