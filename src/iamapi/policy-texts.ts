import { iamPaths } from '#iam/policy/arn-rules.ts'
import type { PolicyProblem, PolicyRefusals } from '#iam/policy/refusals.ts'

/**
 * IAM's sentences for policy documents that it does not take, as clients of it have met them. Most of what is wrong with a
 * document's form has one sentence, to which we add the place, since IAM's alone does not help to find it.
 */
type Malformed = PolicyRefusals['PolicyMalformed']

const syntax = ({ at }: Malformed) => `Syntax errors in policy.${at === '' ? '' : ` See ${at}.`}`

const texts: Readonly<Record<PolicyProblem, (facts: Malformed) => string>> = {
  syntax,
  'element unknown': syntax,
  'element repeated': syntax,
  'element and its negation': syntax,
  version: syntax,
  'version too old': () => 'Policy document must be version 2012-10-17 or greater.',
  'statement missing': syntax,
  sid: () =>
    'Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*',
  'sid repeated': () => 'Statement IDs (SID) in a single policy must be unique.',
  effect: syntax,
  'principal missing': () => 'Missing required field Principal',
  principal: ({ value = '' }) => `Invalid principal in policy: "${value}"`,
  'principal not allowed': () => 'Policy document should not specify a principal.',
  'action missing': () => 'Policy statement must contain actions.',
  action: ({ value = '' }) => actionText(value),
  'action not allowed': () => 'AssumeRole policy may only specify STS AssumeRole actions.',
  'resource missing': () => 'Policy statement must contain resources.',
  resource: ({ value = '' }) => `Resource ${value} must be in ARN format or "*".`,
  'resource not allowed': () => 'Has prohibited field Resource',
  'resource partition': ({ value = '' }) => partitionText(value),
  'resource service': () => 'Resource vendor must be fully qualified and cannot contain regexes.',
  'resource region': ({ value = '' }) =>
    value.split(':', 3)[2] === 'iam'
      ? `IAM resource ${value} cannot contain region information.`
      : `Resource ${value} can not contain region information.`,
  'resource path': () => `IAM resource path must either be "*" or start with ${iamPaths.join(', ')}.`,
  'resource field': ({ at }) => `The policy failed legacy parsing. See ${at}.`,
  'condition operator': syntax,
  'condition key': () => noVendor,
  'condition value': syntax,
  variable: syntax,
}

const noVendor = 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.'

function actionText(action: string): string {
  const [vendor = '', ...rest] = action.split(':')
  if (rest.length === 0) return noVendor
  if (rest.length > 1) return 'Actions/Condition can contain only one colon.'
  if (vendor === '') return noVendor
  return /[^a-z0-9.-]/i.test(vendor) ? `Vendor ${vendor} is not valid` : `Action ${action} is not valid`
}

/** What is left out of the ARN is `*`. */
function partitionText(resource: string): string {
  const [, partition = '', service = '*', region = '*', account = '*', ...rest] = resource.split(':')
  const path = rest.length === 0 ? '*' : rest.join(':')
  return `Partition "${partition}" is not valid for resource "arn:${partition}:${service}:${region}:${account}:${path}".`
}

export function policyText(facts: Malformed): string {
  return texts[facts.problem](facts)
}
