import { setImmediate } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Metadata } from '#metadata/metadata.ts'
import type { CompileDocument } from './compiled.ts'
import { compilePolicy, type Policy } from './policy/compile.ts'
import { parsePolicy } from './policy/document.ts'
import type { Caller } from './principal.ts'

/**
 * The policies that a principal brings: those of its user and the user's groups, or of its role, the boundary on them, and
 * what its session was given. Compiled once for each text.
 */
export interface IdentityPolicies {
  readonly identity: readonly Policy[]
  readonly boundary: Policy | undefined
  readonly session: readonly Policy[]
}

/** Those of the principal as they stand now. */
export type FindIdentityPolicies = (principal: Caller) => Promise<IdentityPolicies>

export function createIdentityPolicies({
  metadata,
  compile,
  awsManaged,
}: {
  readonly metadata: Metadata
  readonly compile: CompileDocument
  /** The document of a policy that AWS manages. */
  readonly awsManaged: (arn: string) => string | undefined
}): FindIdentityPolicies {
  const select = metadata.prepare<{ id: string; boundary: string }, PolicyRow>((db, parameter) => {
    const id = parameter('id')
    const groups = db.selectFrom('iam_group_member').select('group_id').where('user_id', '=', id)
    return db
      .selectFrom('inline_policy as inline')
      .select([sql<Kind>`'inline'`.as('kind'), 'inline.owner_id', 'inline.name', 'inline.document'])
      .$castTo<PolicyRow>()
      .where((eb) => eb.or([eb('inline.owner_id', '=', id), eb('inline.owner_id', 'in', groups)]))
      .unionAll(
        db
          .selectFrom('policy_attachment as attachment')
          .leftJoin('managed_policy as policy', 'policy.arn', 'attachment.policy_arn')
          .leftJoin('managed_policy_version as version', (join) =>
            join.onRef('version.policy_arn', '=', 'policy.arn').onRef('version.version', '=', 'policy.default_version'),
          )
          .select([
            sql<Kind>`'managed'`.as('kind'),
            'attachment.owner_id',
            'attachment.policy_arn as name',
            'version.document',
          ])
          .$castTo<PolicyRow>()
          .where((eb) => eb.or([eb('attachment.owner_id', '=', id), eb('attachment.owner_id', 'in', groups)])),
      )
      .unionAll(
        db
          .selectFrom('managed_policy as policy')
          .innerJoin('managed_policy_version as version', (join) =>
            join.onRef('version.policy_arn', '=', 'policy.arn').onRef('version.version', '=', 'policy.default_version'),
          )
          .select([sql<Kind>`'boundary'`.as('kind'), 'policy.id as owner_id', 'policy.arn as name', 'version.document'])
          .$castTo<PolicyRow>()
          .where('policy.arn', '=', parameter('boundary')),
      )
  })

  return async function identityPolicies(principal: Caller): Promise<IdentityPolicies> {
    const session = sessionPolicies(principal)
    if (principal.kind === 'anonymous') return ofAnonymous
    if (principal.kind === 'root') return { identity: [], boundary: undefined, session }
    const { identityId: id, boundaryArn, servicePolicyArn } = principal
    if (servicePolicyArn !== undefined) {
      return { identity: [compileAwsManaged(servicePolicyArn)], boundary: undefined, session }
    }
    const rows = await select({ id, boundary: boundaryArn ?? '' })
    const identity: Policy[] = []
    let boundary = boundaryArn === undefined ? undefined : compileAwsManaged(boundaryArn)
    let turnEndsAt = performance.now() + longestTurnMs
    for (const { kind, owner_id, name, document } of rows) {
      if (performance.now() > turnEndsAt) {
        await setImmediate()
        turnEndsAt = performance.now() + longestTurnMs
      }
      if (kind === 'boundary') boundary = compile(name, document ?? '', 'identity')
      else if (document !== null)
        identity.push(compile(kind === 'inline' ? inlineName(owner_id, name) : name, document, 'identity'))
      else identity.push(compileAwsManaged(name))
    }
    // One that is named and is not there bounds everything: what it would have allowed nobody knows.
    return { identity, boundary: boundary ?? (boundaryArn === undefined ? undefined : nothing(boundaryArn)), session }
  }

  function sessionPolicies({ kind, session }: Caller): readonly Policy[] {
    if (session === undefined) return []
    if (kind !== 'role') return [ofSessionToken]
    return session.policies.map(({ name, document }) => compile(name, document, 'identity'))
  }

  function compileAwsManaged(arn: string): Policy {
    const document = awsManaged(arn)
    return document === undefined ? nothing(arn) : compile(arn, document, 'identity')
  }
}

/**
 * Whoever gets hold of the temporary credentials of a user or the root must not make lasting ones with them (STS API reference,
 * GetSessionToken: without a second factor, which there is none of here, they call nothing of IAM).
 */
const ofSessionToken = compilePolicy(
  'GetSessionToken',
  parsePolicy('{"Statement":{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}}', 'identity'),
)

/**
 * A policy for everybody opens no more than pulls to a caller without credentials, even if it allows more. `CreateRepository` is asked
 * of such a caller only for the first pull of an image that a rule caches: every way to push is denied before.
 */
const ofAnonymous: IdentityPolicies = {
  identity: [],
  boundary: undefined,
  session: [
    compilePolicy(
      'LADING_ANONYMOUS_PULL',
      parsePolicy(
        JSON.stringify({
          Statement: {
            Sid: 'AnonymousCallersOnlyPull',
            Effect: 'Deny',
            NotAction: [
              'ecr:BatchCheckLayerAvailability',
              'ecr:BatchGetImage',
              'ecr:BatchImportUpstreamImage',
              'ecr:CreateRepository',
              'ecr:GetDownloadUrlForLayer',
              'ecr:ListImageReferrers',
              'ecr:ListImages',
            ],
            Resource: '*',
          },
        }),
        'identity',
      ),
    ),
  ],
}

/** How long one request compiles policies before others have their turn. A policy takes up to some milliseconds, once. */
const longestTurnMs = 5

type Kind = 'inline' | 'managed' | 'boundary'

interface PolicyRow {
  readonly kind: Kind
  readonly owner_id: string
  readonly name: string
  readonly document: string | null
}

/** As decisions cite it: policies of several owners may have one name. */
function inlineName(ownerId: string, name: string): string {
  return `${ownerId}/${name}`
}

function nothing(name: string): Policy {
  return { name, statements: [] }
}
