import type { Handlers } from '#aws/operation.ts'
import type { Operations } from './model.ts'

/**
 * The Security Token Service, as far as clients need it of a registry: who am I? Terraform, the SDKs' credential checks
 * and `aws sts get-caller-identity` ask it (STS API reference, GetCallerIdentity).
 */
export function stsOperations() {
  return {
    GetCallerIdentity: {
      // AWS asks for no permission: a principal that a policy denies everything may still learn its own name.
      resource: 'unrestricted',
      handle: async ({ principal }) => ({ Arn: principal.arn, UserId: principal.userId, Account: principal.account }),
    },
  } satisfies Partial<Handlers<Operations>>
}
