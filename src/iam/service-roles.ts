import { Steps } from '#lib/steps.ts'
import type { Reader } from '#metadata/metadata.ts'
import type { AccountId } from '#names/account.ts'
import type { CompileDocument } from './compiled.ts'
import { findRoleByArn } from './identities/roles.ts'
import { requestContext } from './policy/context.ts'
import { evaluate, mostSteps } from './policy/evaluate.ts'
import { type Principal, sessionPrincipal } from './principal.ts'
import { noMfa } from './session-facts.ts'
import { createTurns } from './turns.ts'

/**
 * Roles that a service of AWS assumes by itself, within this program (IAM user guide, "Create a role to delegate permissions to an AWS
 * service", "Service-linked roles"). No credentials are made for such a session.
 */
export interface ServiceRoles {
  /** The session of a role. `undefined` if the role does not exist or its trust policy does not allow the service. */
  assume(roleArn: string, use: ServiceUse): Promise<Principal | undefined>
}

export interface ServiceUse {
  /** `pullthroughcache.ecr.amazonaws.com` */
  readonly service: string
  readonly sessionName: string
  /** The account that the service works for. Trust policies ask for it as `aws:SourceAccount`. */
  readonly account: AccountId
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** A role that AWS makes in each account for one service, with one policy that AWS manages. */
export interface ServiceLinkedRole {
  readonly name: string
  readonly policyArn: string
}

export function createServiceRoles({
  reader,
  compile,
}: {
  readonly reader: Reader
  readonly compile: CompileDocument
}): ServiceRoles {
  const giveTurn = createTurns()

  return {
    async assume(roleArn, { service, sessionName, account, now }) {
      const role = await findRoleByArn(reader, roleArn)
      if (role === undefined) return undefined
      const steps = new Steps(mostSteps)
      const verdict = evaluate(
        {
          requester: { kind: 'service', name: service },
          action: 'sts:AssumeRole',
          resource: role.arn,
          owner: role.account,
          context: requestContext([
            ['sts:RoleSessionName', sessionName],
            ['aws:SourceAccount', account],
            ['aws:PrincipalIsAWSService', 'true'],
            ['aws:PrincipalServiceName', service],
            ['aws:ViaAWSService', 'false'],
            ['aws:SecureTransport', 'true'],
            ['aws:CurrentTime', new Date(now).toISOString()],
            ['aws:EpochTime', String(Math.floor(now / 1000))],
            ...Object.entries(role.tags).map(([key, value]) => [`aws:ResourceTag/${key}`, value] as const),
          ]),
        },
        { identity: [], resource: [compile(role.arn, role.trustPolicy, 'trust')] },
        steps,
      )
      await giveTurn(steps)
      if (!verdict.allowed) return undefined
      const { id, name, path, tags, boundaryArn: boundary = null } = role
      return sessionPrincipal(role.account, { id, name, path, tags, boundary }, sessionName, sessionOf(now))
    },
  }
}

/** The session of a service-linked role. Such a role is not stored: it is in every account, and its policy is AWS's. */
export function serviceLinkedPrincipal(
  { name, policyArn }: ServiceLinkedRole,
  { service, sessionName, account, now }: ServiceUse,
): Principal {
  const path = `/aws-service-role/${service}/`
  const role = { id: `${account}${path}${name}`, name, path, tags: {}, boundary: null }
  return Object.freeze({ ...sessionPrincipal(account, role, sessionName, sessionOf(now)), servicePolicyArn: policyArn })
}

function sessionOf(now: number) {
  return { accessKeyId: '', accessKeySince: 0, session: { policies: [], facts: noMfa, issuedAt: now } }
}
