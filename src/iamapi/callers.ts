import type { ResourceRequest } from '#aws/operation.ts'
import type { Owners } from '#iam/identities/owners.ts'
import type { Principal } from '#iam/principal.ts'
import { rootArn } from '#names/arn.ts'
import { refuse } from './refusals.ts'

/** Operations on a user that mean their caller where they name nobody. */

/** What stands where an answer must name a user and means the root. */
export const rootName = 'root'

/** The name, or undefined for the root, who has none. @throws Refusal `CallerIsNoUser` */
export function userMeant({ UserName }: { readonly UserName?: string | undefined }, principal: Principal) {
  if (UserName !== undefined) return UserName
  if (principal.arn === rootArn(principal.account)) return undefined
  const [, name] = /:user\/(?:.*\/)?([^/]+)$/.exec(principal.arn) ?? []
  if (name === undefined) throw refuse('CallerIsNoUser', {})
  return name
}

/** The ARN of the user that is meant. */
export function userMeantArn(owners: Owners) {
  return async ({ input, principal }: ResourceRequest<{ readonly UserName?: string | undefined }>): Promise<string> => {
    const { account } = principal
    const name = userMeant(input, principal)
    return name === undefined ? rootArn(account) : owners.arnOf({ account, kind: 'user', name })
  }
}
