import type { AuditedCall, AuditedError } from '#audit/call.ts'
import { keepsResponse } from '#audit/read-only.ts'
import type { Circumstances, Conditions } from '#iam/circumstances.ts'
import type { Principal } from '#iam/principal.ts'
import { denialOf } from '#iam/refusals.ts'
import type { AccountId } from '#names/account.ts'
import { accountOfRole } from '#names/role-arn.ts'
import type { AwsError } from './aws-error.ts'
import type { Operation } from './surface.ts'

/** What the audit trail is told of a call: all that was found out by the time it was over, without secrets. */

/** What the dispatcher has found out so far, which stays less where a call is refused early. */
export interface Progress {
  /** Once the signature is proved. */
  principal: Principal | undefined
  circumstances: Circumstances
  input?: object
  /** The account of the registry that is meant. */
  owner?: AccountId
  resources?: readonly string[]
  conditions?: Conditions | undefined
  output?: object
}

/** The error as the caller gets it, and what was thrown. */
export interface Failure {
  readonly failure: AwsError
  readonly error: unknown
}

interface What {
  readonly requestId: string
  readonly service: string
  readonly name: string
  readonly operation: Operation | undefined
}

/** Nothing for a call whose sender is not proved, unless it names the role that it wants to take on. */
export function auditedCall(what: What, progress: Progress, failure: Failure | undefined): AuditedCall | undefined {
  const { requestId, service, name, operation } = what
  const { principal, circumstances, input, output, resources = [] } = progress
  const role = roleIn(input)
  const owner = role?.account ?? progress.owner ?? principal?.account
  if (owner === undefined) return undefined
  return {
    ...{ requestId, service, name: name.slice(0, longestName), principal, owner, circumstances },
    resources: role === undefined ? resources : [...resources, role.arn],
    parameters: input && operation?.redactInput(input),
    response: output && keepsResponse(name) ? operation?.redactOutput(output) : undefined,
    error: failure && errorOf(failure, progress),
  }
}

/** Longer than any operation's; a caller may write anything in its place. */
const longestName = 128

/** `RoleArn` names whom a call of STS is about. */
function roleIn(input: object | undefined) {
  const arn = input !== undefined && 'RoleArn' in input ? input.RoleArn : undefined
  const account = typeof arn === 'string' ? accountOfRole(arn) : undefined
  return typeof arn === 'string' && account !== undefined ? { arn, account } : undefined
}

/** CloudTrail has one name for what each protocol calls otherwise. */
const trailNames: Readonly<Record<string, string>> = {
  AccessDeniedException: 'AccessDenied',
  ServerException: 'InternalFailure',
}

function errorOf({ failure: { code, message }, error }: Failure, { conditions }: Progress): AuditedError {
  return { code: trailNames[code] ?? code, message, denial: denialOf(error), conditions }
}
