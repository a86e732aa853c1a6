import { isObject, type JsonObject } from '#lib/json.ts'
import { type Condition, parseConditions } from './conditions.ts'
import { type Patterns, parseActions, parseResources } from './elements.ts'
import { parseJson } from './json.ts'
import { type Principals, parsePrincipals } from './principals.ts'
import { malformed, type PolicyProblem } from './refusals.ts'

/**
 * Policy documents: from the text that somebody wrote to statements of one shape, or to a refusal that says where and what is
 * wrong (IAM user guide, "Grammar of the IAM JSON policy language"). What a document of each kind may hold differs, as the
 * table of kinds tells; limits of length are the business of whoever stores it.
 */
export interface PolicyDocument {
  readonly version: PolicyVersion
  readonly id: string | undefined
  readonly statements: readonly Statement[]
}

export type PolicyVersion = '2008-10-17' | '2012-10-17'

export interface Statement {
  readonly sid: string | undefined
  readonly effect: 'Allow' | 'Deny'
  /** In the policies of a resource, and in no other. */
  readonly principals: Principals | undefined
  readonly actions: Patterns
  /** Without it the statement is about the resource that the policy belongs to. */
  readonly resources: Patterns | undefined
  readonly conditions: readonly Condition[]
}

/**
 * `identity`: what users, groups and roles have, permissions boundaries and session policies. `repository` and `registry`: ECR's
 * policies of resources. `registry V1`: the same, under the older scope of registry policies. `trust`: who may assume a role.
 */
export type PolicyKind = 'identity' | 'repository' | 'registry' | 'registry V1' | 'trust'

interface KindRules {
  readonly principal: 'required' | 'none'
  readonly resource: 'required' | 'optional' | 'none'
  /** Whether a `Sid` is letters and digits and occurs once. ECR takes any, as its guide's own examples show. */
  readonly strictSids: boolean
  readonly negatedActions: boolean
  /** Actions in lower case, wildcards as written. */
  permits(action: string): boolean
}

/** Amazon ECR user guide, "Private registry policy scope" (V1). */
const registryV1Actions = new Set(['ecr:replicateimage', 'ecr:batchimportupstreamimage', 'ecr:createrepository'])

const resourcePolicy: KindRules = {
  principal: 'required',
  resource: 'optional',
  strictSids: false,
  negatedActions: true,
  // Stricter than IAM: whether ECR takes other characters is not known.
  permits: (action) => action === '*' || /^ecr:[a-z0-9*?]+$/.test(action),
}

const kinds: Readonly<Record<PolicyKind, KindRules>> = {
  identity: { principal: 'none', resource: 'required', strictSids: true, negatedActions: true, permits: () => true },
  repository: resourcePolicy,
  registry: resourcePolicy,
  'registry V1': { ...resourcePolicy, negatedActions: false, permits: (action) => registryV1Actions.has(action) },
  trust: {
    principal: 'required',
    resource: 'none',
    strictSids: true,
    negatedActions: false,
    permits: (action) => action.startsWith('sts:'),
  },
}

const documentElements = new Set(['Version', 'Id', 'Statement'])
const statementElements = new Set([
  ...['Sid', 'Effect', 'Principal', 'NotPrincipal', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition'],
])

/** @throws Refusal `PolicyMalformed` */
export function parsePolicy(text: string, kind: PolicyKind): PolicyDocument {
  const document = parseJson(text)
  if (!isObject(document)) throw malformed('syntax', '')
  requireKnown(document, documentElements, '')
  const { Version: version = '2008-10-17', Id: id, Statement: given } = document
  if (version !== '2008-10-17' && version !== '2012-10-17') throw malformed('version', 'Version', version)
  if (id !== undefined && typeof id !== 'string') throw malformed('syntax', 'Id')
  if (given === undefined) throw malformed('statement missing', '')
  const list: readonly unknown[] = Array.isArray(given) ? given : [given]
  if (list.length === 0) throw malformed('statement missing', 'Statement')
  const rules = kinds[kind]
  const statements = list.map((value, index) => parseStatement(value, `Statement[${index}]`, version, rules))
  if (rules.strictSids) requireDistinctSids(statements)
  return { version, id, statements }
}

function parseStatement(value: unknown, at: string, version: PolicyVersion, rules: KindRules): Statement {
  if (!isObject(value)) throw malformed('syntax', at)
  requireKnown(value, statementElements, `${at}.`)
  const { Effect: effect, Condition: conditions } = value
  if (effect !== 'Allow' && effect !== 'Deny') throw malformed('effect', `${at}.Effect`, effect)
  const variables = takesVariables(version)
  return {
    sid: parseSid(value.Sid, `${at}.Sid`, rules),
    effect,
    principals: parseEither(value, 'Principal', at, rules.principal, parsePrincipals),
    actions: parseStatementActions(value, at, rules),
    resources: parseEither(value, 'Resource', at, rules.resource, (value, at, { negated }) =>
      parseResources(value, at, { negated, variables }),
    ),
    conditions: parseConditions(conditions, `${at}.Condition`, { variables }),
  }
}

/** Variables came with the later version; before it they stand for themselves. */
export function takesVariables(version: PolicyVersion): boolean {
  return version === '2012-10-17'
}

function requireKnown(object: JsonObject, elements: ReadonlySet<string>, at: string): void {
  const unknown = Object.keys(object).find((name) => !elements.has(name))
  if (unknown !== undefined) throw malformed('element unknown', `${at}${unknown}`)
}

function requireDistinctSids(statements: readonly Statement[]): void {
  const seen = new Set<string>()
  for (const [index, { sid }] of statements.entries()) {
    if (sid === undefined || sid === '') continue
    if (seen.has(sid)) throw malformed('sid repeated', `Statement[${index}].Sid`, sid)
    seen.add(sid)
  }
}

function parseSid(value: unknown, at: string, { strictSids }: KindRules): string | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw malformed('syntax', at)
  if (strictSids && !/^[0-9A-Za-z]*$/.test(value)) throw malformed('sid', at, value)
  return value
}

const absences = {
  Principal: { missing: 'principal missing', present: 'principal not allowed' },
  Resource: { missing: 'resource missing', present: 'resource not allowed' },
} as const satisfies Record<string, { missing: PolicyProblem; present: PolicyProblem }>

/** An element or its negation, of which a statement has one, may have one or has none. */
function parseEither<T>(
  statement: JsonObject,
  element: keyof typeof absences,
  at: string,
  presence: 'required' | 'optional' | 'none',
  parse: (value: unknown, at: string, options: { negated: boolean }) => T,
): T | undefined {
  const found = findEither(statement, element, at)
  if (found === undefined) {
    if (presence === 'required') throw malformed(absences[element].missing, at)
    return undefined
  }
  if (presence === 'none') throw malformed(absences[element].present, found.at)
  return parse(found.value, found.at, found)
}

function parseStatementActions(statement: JsonObject, at: string, { negatedActions, permits }: KindRules): Patterns {
  const found = findEither(statement, 'Action', at)
  if (found === undefined) throw malformed('action missing', at)
  if (found.negated && !negatedActions) throw malformed('action not allowed', found.at)
  return parseActions(found.value, found.at, { negated: found.negated, permits })
}

function findEither(statement: JsonObject, element: 'Principal' | 'Action' | 'Resource', at: string) {
  const { [element]: value, [`Not${element}`]: except } = statement
  if (value !== undefined && except !== undefined) throw malformed('element and its negation', `${at}.Not${element}`)
  if (value !== undefined) return { value, at: `${at}.${element}`, negated: false }
  if (except !== undefined) return { value: except, at: `${at}.Not${element}`, negated: true }
  return undefined
}
