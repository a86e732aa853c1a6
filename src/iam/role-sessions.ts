import assert from 'node:assert/strict'
import { Steps } from '#lib/steps.ts'
import type { Reader } from '#metadata/metadata.ts'
import { requireAllowed } from './authorize.ts'
import { type Circumstances, contextOf } from './circumstances.ts'
import type { CompileDocument } from './compiled.ts'
import type { WebIdentities, WebIdentity } from './federation/web-identity.ts'
import { findRoleByArn, parseRoleArn, type Role } from './identities/roles.ts'
import type { Tag } from './identities/tags.ts'
import type { FindIdentityPolicies } from './identity-policies.ts'
import type { Policy } from './policy/compile.ts'
import { requestContext } from './policy/context.ts'
import { evaluate, mostSteps } from './policy/evaluate.ts'
import { type Principal, requesterOf } from './principal.ts'
import {
  actionsOf,
  noMfa,
  requestConditions,
  sessionFacts,
  sourceIdentityOf,
  webIdentityConditions,
} from './session-facts.ts'
import { type GivenPolicies, sessionPolicies } from './session-policies.ts'
import type { SessionOpener } from './session-quota.ts'
import { refuseSession } from './session-refusals.ts'
import type { SessionFacts, Sessions, TemporaryCredentials } from './sessions.ts'
import { createTurns } from './turns.ts'

/**
 * Taking on a role: whoever a role trusts, and whose own policies let it, gets credentials that stand for the role for a while
 * (STS API reference, AssumeRole and AssumeRoleWithWebIdentity). What the caller is told when it may not is the same whether the
 * role is there or not.
 */
export interface RoleRequest {
  readonly roleArn: string
  readonly sessionName: string
  /** An hour by default. */
  readonly seconds: number | undefined
  readonly policies: GivenPolicies
}

export interface AssumeRequest extends RoleRequest {
  readonly externalId: string | undefined
  readonly tags: readonly Tag[]
  /** Those that sessions take with them which come of this one. */
  readonly transitiveTagKeys: readonly string[]
  readonly sourceIdentity: string | undefined
}

export interface RoleSession {
  readonly credentials: TemporaryCredentials
  /** `AROA…:<session name>` */
  readonly userId: string
  readonly arn: string
  readonly sourceIdentity: string | undefined
}

export interface RoleSessions {
  /**
   * @throws Refusal `AccessDenied`, `RootAssumesRole`, `SessionTooLong`, `SessionTagKept`, `TransitiveTagMissing`, `SourceIdentityKept` and those of session
   *   policies and tags
   */
  assume(principal: Principal, request: AssumeRequest, circumstances: Circumstances): Promise<RoleSession>
  /** @throws Refusal `WebIdentityNotTrusted`, `SessionTooLong`, those of web identities and of session policies */
  assumeWithWebIdentity(
    token: string,
    request: RoleRequest,
    circumstances: Circumstances,
  ): Promise<RoleSession & { readonly identity: WebIdentity }>
}

export interface RoleSessionsParts {
  readonly reader: Reader
  readonly identityPolicies: FindIdentityPolicies
  readonly compile: CompileDocument
  readonly webIdentities: WebIdentities
  readonly sessions: Sessions
}

/** Imposed by STS. */
const defaultSeconds = 3_600
const longestChained = 3_600

export function createRoleSessions(parts: RoleSessionsParts): RoleSessions {
  const { reader, identityPolicies, compile, webIdentities, sessions } = parts

  const giveTurn = createTurns()

  const trustOf = (role: Role | undefined): readonly Policy[] =>
    role === undefined ? [] : [compile(role.arn, role.trustPolicy, 'trust')]

  /** Both sides have to allow each of the actions that the request consists of. */
  async function requireTrust(
    principal: Principal,
    request: AssumeRequest,
    role: Role | undefined,
    circumstances: Circumstances,
  ): Promise<void> {
    const own = await identityPolicies(principal)
    const owner = role?.account ?? principal.account
    const context = contextOf({
      ...{ principal, circumstances, conditions: requestConditions(request) },
      ...{ resourceAccount: owner, resourceTags: role?.tags ?? {} },
    })
    for (const action of actionsOf(request)) {
      const question = { requester: requesterOf(principal), action, resource: request.roleArn, owner, context }
      const steps = new Steps(mostSteps)
      const verdict = evaluate(question, { ...own, resource: trustOf(role), resourceMustAllow: true }, steps)
      await giveTurn(steps)
      requireAllowed({ principalArn: principal.arn, action, resource: request.roleArn, verdict })
    }
  }

  async function open(role: Role, request: RoleRequest, facts: SessionFacts, opener: SessionOpener) {
    const { sessionName: name, seconds = defaultSeconds } = request
    const policies = await sessionPolicies(reader, role.account, request.policies)
    const owner = { kind: 'role', id: role.id } as const
    const { account } = role
    const credentials = await sessions.create({ account, owner, name, policies, facts, seconds, opener })
    const arn = `arn:aws:sts::${role.account}:assumed-role/${role.name}/${name}`
    return { credentials, userId: `${role.id}:${name}`, arn }
  }

  return {
    async assume(principal, request, circumstances) {
      if (principal.kind === 'root') throw refuseSession('RootAssumesRole', {})
      const role = await findRoleByArn(reader, request.roleArn)
      await requireTrust(principal, request, role, circumstances)
      assert(role !== undefined, 'a role that is not there allows nothing')
      if (principal.kind === 'role') requireWithin('chain', request, longestChained)
      requireWithin('role', request, role.maxSessionSeconds)
      const facts = sessionFacts(principal, request)
      const session = await open(role, request, facts, openerOf(principal))
      return { ...session, sourceIdentity: sourceIdentityOf(facts) }
    },

    async assumeWithWebIdentity(token, request, circumstances) {
      const account = parseRoleArn(request.roleArn)?.account
      if (account === undefined) throw refuseSession('WebIdentityNotTrusted', {})
      const identity = await webIdentities.verify(account, token)
      const role = await findRoleByArn(reader, request.roleArn)
      const { provider, facts } = identity
      const verdict = evaluate(
        {
          requester: { kind: 'federated', provider: provider.arn },
          action: 'sts:AssumeRoleWithWebIdentity',
          resource: request.roleArn,
          owner: account,
          context: requestContext([
            ...Object.entries(facts),
            ...webIdentityConditions(request.sessionName, circumstances),
            ['aws:FederatedProvider', provider.arn],
            ...Object.entries(role?.tags ?? {}).map(([key, value]) => [`aws:ResourceTag/${key}`, value] as const),
          ]),
        },
        { identity: [], resource: trustOf(role) },
      )
      if (!verdict.allowed || role === undefined) throw refuseSession('WebIdentityNotTrusted', {})
      requireWithin('role', request, role.maxSessionSeconds)
      const all = { ...noMfa, ...facts, 'aws:FederatedProvider': provider.arn }
      const opener = { kind: 'web identity', provider: provider.arn, subject: identity.subject } as const
      const session = await open(role, request, all, opener)
      return { ...session, sourceIdentity: undefined, identity }
    },
  }
}

function openerOf({ session, accessKeyId, identityId: id }: Principal): SessionOpener {
  return session === undefined ? { kind: 'principal', id } : { kind: 'session', accessKeyId }
}

/** @throws Refusal `SessionTooLong` */
function requireWithin(by: 'role' | 'chain', { seconds = defaultSeconds }: RoleRequest, longest: number): void {
  if (seconds > longest) throw refuseSession('SessionTooLong', { by, longest })
}
