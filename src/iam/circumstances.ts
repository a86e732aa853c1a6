import type { Region } from '#names/region.ts'
import { type Context, requestContext } from './policy/context.ts'
import type { Caller } from './principal.ts'

/**
 * What policies may ask of a request beside who does what (IAM user guide, "AWS global condition context keys"; Service
 * Authorization Reference, Amazon ECR, "Condition keys"). Worked out key by key, only when a condition or a variable asks.
 */
export interface Circumstances {
  /** The client's address. */
  readonly sourceIp: string
  /** Whether the client spoke TLS. */
  readonly secure: boolean
  readonly userAgent: string | undefined
  /** Of the registry or endpoint that is asked. */
  readonly region: Region | undefined
  /** Milliseconds since the epoch. */
  readonly now: number
}

export type Conditions = Iterable<readonly [key: string, value: string | readonly string[]]>

export interface Asked {
  readonly principal: Caller
  readonly circumstances: Circumstances
  /** The account that owns the resource. */
  readonly resourceAccount: string
  readonly resourceTags: Readonly<Record<string, string>>
  /** Keys of the operation's own. */
  readonly conditions: Conditions | undefined
}

/** A context that notes whether anybody asked it anything: if nobody did, the verdict holds in any circumstances. */
export interface WatchedContext extends Context {
  readonly consulted: boolean
}

export function contextOf(asked: Asked): WatchedContext {
  let own: ReadonlyMap<string, readonly string[]> | undefined
  const tags = { principal: tagFinder(asked.principal.tags), resource: tagFinder(asked.resourceTags) }
  const context = {
    consulted: false,
    get(key: string): readonly string[] | undefined {
      context.consulted = true
      own ??= requestContext([...(asked.conditions ?? []), ...Object.entries(asked.principal.session?.facts ?? {})])
      const value = ownValue(key, asked, tags)
      return typeof value === 'string' ? [value] : own.get(key)
    },
  }
  return context
}

const principalTag = 'aws:principaltag/'
const resourceTag = /^(?:aws|ecr|iam|secretsmanager):resourcetag\/(.*)$/s

interface TagFinders {
  readonly principal: FindTag
  readonly resource: FindTag
}

function ownValue(
  key: string,
  { principal, circumstances, resourceAccount }: Asked,
  tags: TagFinders,
): string | undefined {
  if (key.startsWith(principalTag)) return tags.principal(key.slice(principalTag.length))
  const [, tag] = resourceTag.exec(key) ?? []
  if (tag !== undefined) return tags.resource(tag)
  switch (key) {
    case 'aws:principalarn':
      // Absent for an anonymous caller. AWS gives `anonymous` as its account and user id.
      return principal.kind === 'anonymous' ? undefined : principal.identityArn
    case 'aws:principalaccount':
      return principal.account ?? 'anonymous'
    case 'aws:principaltype':
      return { root: 'Account', user: 'User', role: 'AssumedRole', anonymous: 'Anonymous' }[principal.kind]
    case 'aws:userid':
      return principal.userId
    case 'aws:username':
      return principal.name
    case 'aws:tokenissuetime':
      return principal.session && new Date(principal.session.issuedAt).toISOString()
    case 'aws:sourceip':
      return circumstances.sourceIp
    case 'aws:securetransport':
      return String(circumstances.secure)
    case 'aws:useragent':
      return userAgentOf(circumstances)
    case 'aws:requestedregion':
      return circumstances.region
    case 'aws:currenttime':
      return new Date(circumstances.now).toISOString()
    case 'aws:epochtime':
      return String(Math.floor(circumstances.now / 1000))
    case 'aws:resourceaccount':
      return resourceAccount
    case 'aws:viaawsservice':
    case 'aws:principalisawsservice':
      return 'false'
    default:
      return undefined
  }
}

/** As much of it as patterns are held against: their cost grows with its length, and both may come from one who wants it high. */
const longestUserAgent = 1_024

export function userAgentOf({ userAgent }: Circumstances): string | undefined {
  return userAgent?.slice(0, longestUserAgent)
}

/** By the tag's key in lower case. */
type FindTag = (key: string) => string | undefined

/** Tags' keys are compared as condition keys are, without regard to case. Policies may ask for thousands: each is folded once. */
function tagFinder(tags: Readonly<Record<string, string>>): FindTag {
  let folded: Map<string, string> | undefined
  return (key) => {
    // Of two keys that differ in case alone the first one counts.
    folded ??= new Map(
      Object.entries(tags)
        .reverse()
        .map(([name, value]) => [name.toLowerCase(), value]),
    )
    return folded.get(key)
  }
}
