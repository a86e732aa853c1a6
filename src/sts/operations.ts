import type { Handlers } from '#aws/operation.ts'
import { type QueryOperationTypes, querySurface } from '#aws/query-surface.ts'
import type { Surface } from '#aws/surface.ts'

/**
 * The Security Token Service, as far as clients need it of a registry: who am I? Terraform, the SDKs' credential checks
 * and `aws sts get-caller-identity` ask it (STS API reference, GetCallerIdentity).
 */
interface Operations {
  GetCallerIdentity: Omit<QueryOperationTypes, 'output'> & {
    readonly output: { readonly Arn: string; readonly UserId: string; readonly Account: string }
  }
}

const handlers: Handlers<Operations> = {
  GetCallerIdentity: {
    // AWS asks for no permission: a principal that a policy denies everything may still learn its own name.
    resource: 'unrestricted',
    handle: async ({ principal }) => ({ Arn: principal.arn, UserId: principal.userId, Account: principal.account }),
  },
}

export function stsSurface(): Surface {
  return querySurface<Operations>({
    service: 'sts',
    version: '2011-06-15',
    namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
    handlers,
    exceptions: {},
  })
}
