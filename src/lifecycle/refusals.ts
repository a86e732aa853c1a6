import { refusals } from '#lib/refusal.ts'
import type { InRepository } from '#registry/refusals.ts'

/** Why a lifecycle policy is refused; each stands for one rule of its grammar, whatever the sentence that a surface has for it. */
export type PolicyProblem =
  /** No JSON. */
  | { readonly problem: 'syntax' }
  /** A name that occurs twice in one object. */
  | { readonly problem: 'member repeated'; readonly name: string }
  | { readonly problem: 'members missing'; readonly names: readonly string[] }
  | { readonly problem: 'members unknown'; readonly names: readonly string[] }
  /** Types as JSON Schema names them. */
  | { readonly problem: 'type'; readonly found: string; readonly wanted: string }
  | { readonly problem: 'value'; readonly value: string; readonly allowed: readonly string[] }
  | { readonly problem: 'number too small'; readonly least: number; readonly found: number }
  | { readonly problem: 'number too large'; readonly most: number; readonly found: number }
  | { readonly problem: 'list too short'; readonly least: number; readonly found: number }
  | { readonly problem: 'list too long'; readonly most: number; readonly found: number }
  | { readonly problem: 'text empty' }
  /** No way to count that there is: a type or unit that is none, a unit missing or too many, or a `null`. */
  | { readonly problem: 'count' }
  /** `tagged` without a list; with both; a list beside another status. */
  | { readonly problem: 'tags missing' | 'tags ambiguous' | 'tags unexpected' }
  | { readonly problem: 'wildcards'; readonly pattern: string; readonly most: number }
  /** The one storage class, or the one action, that this way to count goes with. */
  | { readonly problem: 'storage class'; readonly countType: string; readonly wanted: string }
  | { readonly problem: 'action'; readonly countType: string; readonly wanted: string }
  | { readonly problem: 'priority repeated'; readonly priority: number }
  | { readonly problem: 'untagged repeated' | 'any not last' }
  | { readonly problem: 'tags repeated'; readonly priorities: readonly [number, number] }

export interface LifecycleRefusals {
  LifecyclePolicyInvalid: PolicyProblem
  LifecyclePolicyNotFound: InRepository
  LifecyclePreviewNotFound: InRepository
  LifecyclePreviewInProgress: InRepository
}

/** Of what ECR does not have. */
export interface WhatIfRefusals {
  /** There is none of that id, or none any more. */
  WhatIfNotFound: InRepository
}

export const refuse = refusals<LifecycleRefusals & WhatIfRefusals>()

export function invalidPolicy(problem: PolicyProblem) {
  return refuse('LifecyclePolicyInvalid', problem)
}
