import type { PolicyProblem } from '#lifecycle/refusals.ts'

/** What is wrong with a lifecycle policy, as ECR says it. */
export function policyProblemText(problem: PolicyProblem): string {
  const text = problemText(problem)
  // A policy's own texts may be as long as it is.
  return text.length <= 1_000 ? text : `${text.slice(0, 1_000)}…`
}

/**
 * The texts of ECR's JSON schema validator, and of its own checks, as threads and recorded answers have them; those for the tags
 * that are ambiguous, unexpected or repeated, for wildcards, storage class, action, priority, and repeated members are ours.
 */
function problemText(facts: PolicyProblem): string {
  switch (facts.problem) {
    case 'syntax':
      return 'Could not map policyString into LifecyclePolicy.'
    case 'member repeated':
      return `object instance has a property which is given more than once: (${JSON.stringify([facts.name])})`
    case 'members missing':
      return `object has missing required properties (${JSON.stringify(facts.names)})`
    case 'members unknown':
      return `object instance has properties which are not allowed by the schema: (${JSON.stringify(facts.names)})`
    case 'type':
      return `instance type (${facts.found}) does not match any allowed primitive type (allowed: ${JSON.stringify([facts.wanted])})`
    case 'value':
      return `instance value (${JSON.stringify(facts.value)}) not found in enum :(possible values: ${JSON.stringify(facts.allowed)})`
    case 'number too small':
      return `numeric instance is lower than the required minimum (minimum: ${facts.least}, found: ${facts.found})`
    case 'number too large':
      return `numeric instance is greater than the required maximum (maximum: ${facts.most}, found: ${facts.found})`
    case 'list too short':
      return `array is too short: must have at least ${facts.least} elements but instance has ${facts.found} elements`
    case 'list too long':
      return `array is too long: must have at most ${facts.most} elements but instance has ${facts.found} elements`
    case 'text empty':
      return 'string "" is too short (length: 0, required minimum: 1)'
    case 'count':
      return 'instance failed to match exactly one schema (matched 0 out of 2)'
    case 'tags missing':
      return 'Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.'
    case 'tags ambiguous':
      return 'Must specify only one of tagPrefixList and tagPatternList when tagStatus=TAGGED.'
    case 'tags unexpected':
      return 'tagPrefixList and tagPatternList can only be specified when tagStatus=TAGGED.'
    case 'wildcards':
      return `The pattern ${JSON.stringify(facts.pattern)} must not contain more than ${facts.most} wildcards (*)`
    case 'storage class':
      return `storageClass must be ${facts.wanted} when countType=${facts.countType}`
    case 'action':
      return `Action type must be ${facts.wanted} when countType=${facts.countType}`
    case 'priority repeated':
      return `Each rule must have its own rulePriority: ${facts.priority} is given more than once`
    case 'untagged repeated':
      return 'Only one rule can select Untagged images per storage class'
    case 'any not last':
      return 'Rule for tagStatus=ANY must have the lowest priority per storage class'
    case 'tags repeated':
      return `Rules must select different tags per storage class: those with rulePriority ${facts.priorities.join(' and ')} have the same list`
  }
}
