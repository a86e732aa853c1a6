import type { Reader } from '#metadata/metadata.ts'
import type { PolicyDocument } from './policy/document.ts'

/**
 * The first principal that a document names and that is not there, as the document names it. Asked before a policy of a resource
 * is stored: a user or role that is created later under a name that was free must not find itself trusted.
 */
export async function findMissingPrincipal(
  reader: Reader,
  { statements }: PolicyDocument,
): Promise<string | undefined> {
  const names = new Set(statements.flatMap(({ principals }) => principals?.names ?? []))
  for (const name of names) if (!(await exists(reader, name))) return name
  return undefined
}

const principalPattern = /^arn:[^:]*:(?:iam|sts)::(\d{12}):(root|user|role|assumed-role)(?:(\/.*))?$/

/** Services and identity providers have names that nobody here gives. */
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
