import { matchesGlob, parseStars } from '#lib/glob.ts'
import type { Registry } from '#names/registry.ts'
import { defineSetting } from '#registry/settings.ts'
import { refuse } from './refusals.ts'

/** Which pushes are signed, and with what (ECR user guide, "Managed signing"). Every rule that takes a repository makes a signature. */
export interface SigningRule {
  /** `arn:aws:signer:<region>:<account>:/signing-profiles/<name>`, of any account. */
  readonly profileArn: string
  /** Wildcards for the repository's name, one of which takes it; none for every repository. */
  readonly filters: readonly string[]
}

/** A registry without rules differs from one without a configuration: only that can be deleted. */
export const signingSetting = defineSetting<readonly SigningRule[], undefined>({
  name: 'signing',
  // Only rules that were parsed are put.
  parse: (document) => document as readonly SigningRule[],
  fallback: undefined,
})

export interface SignableImage {
  readonly repository: string
  readonly artifactType: string | undefined
}

/** The type of the signatures that ECR makes (Notary Project, "Signature specification"). */
const signatureType = 'application/vnd.cncf.notary.signature'

/** The profiles of the rules that an image matches, each once. Signatures are not signed (ECR user guide, "Managed signing"). */
export function matchingProfiles(rules: readonly SigningRule[], { repository, artifactType }: SignableImage): string[] {
  if (artifactType === signatureType) return []
  const matching = rules.filter(
    ({ filters }) => filters.length === 0 || filters.some((filter) => matchesGlob(parseStars(filter), repository)),
  )
  return [...new Set(matching.map(({ profileArn }) => profileArn))]
}

/** @throws Refusal `SigningProfileElsewhere` */
export function parseSigningRules({ region }: Registry, rules: readonly SigningRule[]): readonly SigningRule[] {
  for (const { profileArn } of rules) {
    const [, , , profileRegion] = profileArn.split(':')
    if (profileRegion !== region) throw refuse('SigningProfileElsewhere', { profileArn, region })
  }
  return rules
}
