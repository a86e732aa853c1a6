import { type Circumstances, type Conditions, userAgentOf } from './circumstances.ts'
import { type Tag, withTags } from './identities/tags.ts'
import type { Principal } from './principal.ts'
import { refuseSession } from './session-refusals.ts'
import type { SessionFacts } from './sessions.ts'

/**
 * What a request for a role tells policies, and what a role's session keeps of it, by condition key (IAM user guide, "Pass session
 * tags in AWS STS"; Service Authorization Reference, AWS Security Token Service).
 */
export interface SessionRequest {
  readonly sessionName: string
  readonly externalId: string | undefined
  readonly tags: readonly Tag[]
  readonly transitiveTagKeys: readonly string[]
  readonly sourceIdentity: string | undefined
}

/** What the caller and the role's trust policy both have to allow. */
export function actionsOf({ tags, transitiveTagKeys, sourceIdentity }: SessionRequest): string[] {
  return [
    'sts:AssumeRole',
    ...(tags.length + transitiveTagKeys.length > 0 ? ['sts:TagSession'] : []),
    ...(sourceIdentity === undefined ? [] : ['sts:SetSourceIdentity']),
  ]
}

export function requestConditions(request: SessionRequest): Conditions {
  const { sessionName, externalId, tags, transitiveTagKeys, sourceIdentity } = request
  return [
    ['sts:RoleSessionName', sessionName],
    ['sts:ExternalId', externalId ?? []],
    ['sts:SourceIdentity', sourceIdentity ?? []],
    ['sts:TransitiveTagKeys', transitiveTagKeys],
    ['aws:TagKeys', tags.map(({ key }) => key)],
    ...tags.map(({ key, value }) => [`aws:RequestTag/${key}`, value] as const),
  ]
}

/** The same of a caller who is nobody yet: whom a provider vouches for is in the facts of the identity. */
export function webIdentityConditions(sessionName: string, circumstances: Circumstances): Conditions {
  const { sourceIp, secure, now } = circumstances
  return [
    ['sts:RoleSessionName', sessionName],
    ['aws:SourceIp', sourceIp],
    ['aws:SecureTransport', String(secure)],
    ['aws:UserAgent', userAgentOf(circumstances) ?? []],
    ['aws:CurrentTime', new Date(now).toISOString()],
    ['aws:EpochTime', String(Math.floor(now / 1000))],
  ]
}

/** Under these a session keeps its tags and where they came from, since policies ask for them so. */
const tagPrefix = 'aws:PrincipalTag/'
const transitiveKeys = 'sts:TransitiveTagKeys'
const sourceIdentityKey = 'aws:SourceIdentity'

/** Of every session: nobody has shown a second factor here. */
export const noMfa: SessionFacts = { 'aws:MultiFactorAuthPresent': 'false' }

/**
 * What a session is to keep: its own tags, and those of the session that it comes of which go on.
 *
 * @throws Refusal `SessionTagKept`, `TransitiveTagMissing`, `SourceIdentityKept` and those of tags
 */
export function sessionFacts(principal: Principal, request: SessionRequest): SessionFacts {
  const before = principal.session?.facts ?? {}
  const goingOn = textsOf(before[transitiveKeys])
  const given = Object.entries(withTags({}, request.tags))
  const givenKeys = given.map(([key]) => key)
  const unset = request.transitiveTagKeys.find((key) => !hasKey(givenKeys, key))
  if (unset !== undefined) throw refuseSession('TransitiveTagMissing', { key: unset })
  for (const key of givenKeys) {
    if (hasKey(goingOn, key)) throw refuseSession('SessionTagKept', { key })
  }
  const tags = new Map([
    ...goingOn.map((key) => [key, textsOf(before[`${tagPrefix}${key}`])[0] ?? ''] as const),
    ...given,
  ])
  const transitive = [...tags.keys()].filter((key) => hasKey([...goingOn, ...request.transitiveTagKeys], key))
  const sourceIdentity = sourceIdentityOf(before) ?? request.sourceIdentity
  if (request.sourceIdentity !== undefined && request.sourceIdentity !== sourceIdentity) {
    throw refuseSession('SourceIdentityKept', {})
  }
  return {
    ...noMfa,
    ...Object.fromEntries(Array.from(tags, ([key, value]) => [`${tagPrefix}${key}`, value])),
    ...(transitive.length > 0 && { [transitiveKeys]: transitive }),
    ...(sourceIdentity !== undefined && { [sourceIdentityKey]: sourceIdentity }),
  }
}

/** Keys of tags are equal without regard to case. */
function hasKey(keys: readonly string[], key: string): boolean {
  return keys.some((each) => each.toLowerCase() === key.toLowerCase())
}

export function sourceIdentityOf(facts: Readonly<Record<string, string | readonly string[]>>): string | undefined {
  return textsOf(facts[sourceIdentityKey])[0]
}

function textsOf(value: string | readonly string[] | undefined): readonly string[] {
  return typeof value === 'string' ? [value] : (value ?? [])
}
