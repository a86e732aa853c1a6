import type { Handlers } from '#aws/operation.ts'
import type { FindKeyAccount } from '#iam/key-accounts.ts'
import type { RoleSessions } from '#iam/role-sessions.ts'
import { noMfa } from '#iam/session-facts.ts'
import { refuseSession } from '#iam/session-refusals.ts'
import type { Sessions } from '#iam/sessions.ts'
import type { Operations } from './model.ts'
import { refuse } from './refusals.ts'
import { credentialsShape, refuseMfa, roleOperations } from './roles.ts'

/** The Security Token Service: who am I, whose is this key, and credentials that end by themselves (STS API reference). */
export interface StsDomain {
  readonly roleSessions: RoleSessions
  readonly sessions: Sessions
  readonly findKeyAccount: FindKeyAccount
}

/** Imposed by STS (API reference, GetSessionToken). */
const defaultSeconds = 43_200
const longestOfRoot = 3_600

export function stsOperations({ roleSessions, sessions, findKeyAccount }: StsDomain) {
  return {
    ...roleOperations({ roleSessions }),
    GetCallerIdentity: {
      // AWS asks for no permission: a principal that a policy denies everything may still learn its own name.
      resource: 'unrestricted',
      handle: async ({ principal }) => ({ Arn: principal.arn, UserId: principal.userId, Account: principal.account }),
    },
    GetAccessKeyInfo: {
      resource: () => '*',
      handle: async ({ input: { AccessKeyId: key } }) => {
        const account = await findKeyAccount(key)
        if (account === undefined) throw refuse('KeyUnknown', { key })
        return { Account: account }
      },
    },
    GetSessionToken: {
      // No permission can be given or denied for it: the credentials may do no more than those that ask for them.
      resource: 'unrestricted',
      handle: async ({ input, principal }) => {
        const { account, kind, identityId: id } = principal
        refuseMfa(input)
        if (principal.session !== undefined) throw refuseSession('SessionOfSession', {})
        const { DurationSeconds: asked = defaultSeconds } = input
        const seconds = kind === 'root' ? Math.min(asked, longestOfRoot) : asked
        const opener = { kind: 'principal', id } as const
        const owner = { kind, id }
        const credentials = await sessions.create({ account, owner, policies: [], facts: noMfa, seconds, opener })
        return { Credentials: credentialsShape(credentials) }
      },
    },
  } satisfies Handlers<Operations>
}
