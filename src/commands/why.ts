import { createExplainRequest, type ExplainedRequest } from '#audit/explain-request.ts'
import { createAuditLookup } from '#audit/lookup.ts'
import { createCompiler } from '#iam/compiled.ts'
import { Credentials } from '#iam/credentials.ts'
import { createExplainer, type Explanation } from '#iam/explain.ts'
import { createFindPrincipal, findCaller } from '#iam/find-principal.ts'
import { createIdentityPolicies } from '#iam/identity-policies.ts'
import { createInquire, ownerOf } from '#iam/inquiry.ts'
import { awsManagedPolicies } from '#iam/policies/aws-managed.ts'
import { createResourceSides } from '#resource-sides.ts'
import { explanationText } from '#wording/explanation.ts'
import { accessDeniedText } from '#wording/iam.ts'
import { type Call, type Command, CommandError, textOf } from './command.ts'
import type { Deployment } from './deployment.ts'
import { type Fields, time } from './output.ts'

/** Why somebody may or may not do something: the evaluation of the server, over the policies as they stand. */
export const whyCommand: Command = {
  name: 'why',
  description: 'may a principal do something, and which statement of which policy says so; or why a request was denied',
  options: [
    ['--principal <who>', 'ARN of a root, user, group, role or session, an access key id, or anonymous'],
    ['--action <action>', 'such as ecr:BatchGetImage'],
    ['--resource <arn>', 'ARN, or * for an action without a resource'],
    ['--context <key=value...>', 'values of condition keys, such as aws:SourceIp=10.0.0.1'],
    ['--request <id>', 'instead: the request id that a denied docker pull shows'],
  ],
  settings: ['account', 'region'],
  example:
    'lading why --principal arn:aws:iam::000000000000:user/alice --action ecr:PutImage --resource arn:aws:ecr:us-east-1:000000000000:repository/team/app',
  run: why,
}

async function why(call: Call): Promise<void> {
  const { request } = call.options
  const deployment = await call.open()
  const { findPrincipal, explain } = await explaining(deployment)
  if (typeof request === 'string') {
    const auditLookup = createAuditLookup(deployment.metadata)
    const explained = await createExplainRequest({ auditLookup, findPrincipal, explain })(request, undefined)
    if (explained === undefined) {
      throw new CommandError(`the audit trail has no denied request ${request}: records are written each second`)
    }
    call.output.show(requestFields(explained))
    return
  }
  const [named, action, resource] = (['principal', 'action', 'resource'] as const).map((name) => textOf(call, name))
  if (named === undefined || action === undefined || resource === undefined) {
    throw new CommandError('say --principal, --action and --resource, or --request')
  }
  const principal = await findCaller(findPrincipal, named)
  if (principal === undefined)
    throw new CommandError(`no principal and no access key is named ${JSON.stringify(named)}`)
  const { region } = call.settings
  const explanation = await explain({
    ...{
      principal,
      action,
      resource,
      registry: { account: principal.account ?? ownerOf(resource) ?? call.settings.account, region },
      viewer: undefined,
    },
    circumstances: { sourceIp: '127.0.0.1', secure: true, userAgent: undefined, region, now: deployment.clock() },
    overrides: overridesOf(call),
  })
  call.output.show(explanationFields(explanation))
}

/** @throws CommandError */
function overridesOf({ options: { context = [] } }: Call): [string, string][] {
  const given: readonly string[] = Array.isArray(context) ? context : []
  return given.map((text) => {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
    if (key === undefined || value === undefined) throw new CommandError('--context takes <key>=<value>')
    return [key, value]
  })
}

async function explaining({ metadata, secrets }: Deployment) {
  const compile = createCompiler()
  const awsManaged = (arn: string) => awsManagedPolicies.get(arn)?.document
  const identityPolicies = createIdentityPolicies({ metadata, compile, awsManaged })
  const { reader } = metadata
  const inquire = createInquire({
    metadata,
    identityPolicies,
    resourceSide: createResourceSides({ metadata, compile }),
  })
  const credentials = new Credentials({ metadata, box: await secrets() })
  return {
    findPrincipal: createFindPrincipal({ reader, credentials }),
    explain: createExplainer({ reader, inquire, compile }),
  }
}

function explanationFields(explanation: Explanation): Fields {
  const { principalArn: principal, action, resource, verdict, statements } = explanation
  return {
    ...{ allowed: verdict.allowed, reason: explanationText(explanation), principal, action, resource },
    statements: statements.map(({ type, policyName, index, sid, effect, outcome, decisive, text, keys }) => ({
      ...{ policyType: type, policy: policyName, index, sid, effect, outcome, decisive },
      ...{ text: text(), conditionKeys: keys },
    })),
  }
}

function requestFields({ denied, now }: ExplainedRequest): Fields {
  const { sourceIp, userAgent } = denied.circumstances
  return {
    ...{ deniedAt: time(denied.at), message: accessDeniedText(denied), sourceIp, userAgent },
    ...{
      accessKeyId: denied.accessKeyId,
      ...(now === undefined ? { now: 'the principal is gone' } : explanationFields(now)),
    },
  }
}
