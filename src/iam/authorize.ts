import { Steps } from '#lib/steps.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { Registry } from '#names/registry.ts'
import { type Circumstances, type Conditions, contextOf } from './circumstances.ts'
import type { FindIdentityPolicies } from './identity-policies.ts'
import { createInquire, ownerOf } from './inquiry.ts'
import { compilePolicy, type Policy } from './policy/compile.ts'
import { type PolicyDocument, parsePolicy } from './policy/document.ts'
import { evaluate, mostSteps, type Verdict } from './policy/evaluate.ts'
import { type Caller, requesterOf } from './principal.ts'
import { refuse } from './refusals.ts'
import { createTurns } from './turns.ts'

/**
 * The one place that decides who may do what, for both planes: it brings the policies of both sides together and has them
 * evaluated. Denied unless something allows.
 */
export interface Authorizer {
  /** At once where the same was decided before and nothing was committed since, in circumstances that nobody asked for. */
  decide(request: AccessRequest): Decision | Promise<Decision>
}

export interface AccessRequest {
  readonly principal: Caller
  /** `ecr:PutImage`. */
  readonly action: string
  /** An ARN, or `*` for an action without a resource. */
  readonly resource: string
  /** Which of those that had the resource's name, where one that was deleted is meant and not one that is there. */
  readonly deleted?: number | undefined
  /** The registry that is acted on, where the resource is `*`. */
  readonly registry: Registry
  readonly circumstances: Circumstances
  /** Condition keys of the operation's own. */
  readonly conditions?: Conditions | undefined
}

export interface Decision {
  readonly principalArn: string
  readonly action: string
  readonly resource: string
  readonly deleted?: number | undefined
  readonly verdict: Verdict
}

/** What a resource's side says of who may act on it. */
export interface ResourceSide {
  readonly policies: readonly Policy[]
  /** The tags of the resource. */
  readonly tags: Readonly<Record<string, string>>
  /** Condition keys that the resource answers for, as it is. */
  readonly conditions?: Conditions
}

/**
 * The side of a resource as it stands now; nothing for one that has none, is not there, or is only to be made. One that was deleted and
 * is meant has that which it had.
 */
export type FindResourceSide = (
  request: Pick<AccessRequest, 'action' | 'resource' | 'deleted' | 'registry'>,
) => Promise<ResourceSide>

export interface AuthorizerParts {
  readonly metadata: Metadata
  readonly identityPolicies: FindIdentityPolicies
  /** Of all resources but those of IAM. */
  readonly resourceSide: FindResourceSide
}

/** How much of one principal's is remembered: more repositories than one client uses at a time. */
const rememberedDecisions = 1_000

interface Memory {
  readonly version: number
  readonly decisions: Map<string, Decision>
}

export function createAuthorizer({ metadata, identityPolicies, resourceSide }: AuthorizerParts): Authorizer {
  const memories = new WeakMap<Caller, Memory>()
  const inquire = createInquire({ metadata, identityPolicies, resourceSide })
  const giveTurn = createTurns()

  /** What was decided of this principal since the last commit; nothing where the store does not tell of commits. */
  function memoryOf(principal: Caller): Memory | undefined {
    const version = metadata.version()
    if (version === undefined) return undefined
    let memory = memories.get(principal)
    if (memory === undefined || memory.version !== version) {
      memory = { version, decisions: new Map() }
      memories.set(principal, memory)
    }
    return memory
  }

  async function judge(request: AccessRequest, memory: Memory | undefined): Promise<Decision> {
    const { principal, action, resource, deleted } = request
    const { question, policies, context } = await inquire(request)
    const steps = new Steps(mostSteps)
    const verdict = evaluate(question, policies, steps)
    const pause = giveTurn(steps)
    if (pause !== undefined) await pause
    const about = deleted === undefined ? { action, resource } : { action, resource, deleted }
    const decision = Object.freeze({ principalArn: principal.arn, ...about, verdict })
    if (memory !== undefined && !context.consulted && resource !== '*') {
      if (memory.decisions.size >= rememberedDecisions) memory.decisions.clear()
      memory.decisions.set(`${action}\n${resource}`, decision)
    }
    return decision
  }

  return {
    // Flat on purpose: `bench` figure "manifest GET by tag".
    decide(request) {
      if (request.deleted !== undefined) return judge(request, undefined)
      const memory = memoryOf(request.principal)
      return memory?.decisions.get(`${request.action}\n${request.resource}`) ?? judge(request, memory)
    },
  }
}

/** `named` is what the caller named the resource, if a denial may not show the ARN. @throws Refusal `AccessDenied` */
export function requireAllowed(decision: Decision, named?: string): void {
  const { verdict, ...question } = decision
  if (!verdict.allowed) throw refuse('AccessDenied', { ...question, verdict, ...(named !== undefined && { named }) })
}

/**
 * Whether a policy of the resource, in place of the one that is there, leaves the request allowed to a principal whose own
 * policies allow everything: what is asked before somebody locks itself out.
 */
export function leavesAccess(request: AccessRequest, policy: PolicyDocument): boolean {
  const { principal, action, resource, registry, circumstances, conditions } = request
  const owner = ownerOf(resource) ?? registry.account
  const asked = { principal, circumstances, conditions, resourceAccount: owner, resourceTags: {} }
  const question = { requester: requesterOf(principal), action, resource, owner, context: contextOf(asked) }
  const policies = { identity: [everything], resource: [compilePolicy('repository policy', policy)] }
  return evaluate(question, policies).allowed
}

const everything = compilePolicy(
  'everything',
  parsePolicy('{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}', 'identity'),
)
