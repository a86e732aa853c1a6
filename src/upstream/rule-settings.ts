/**
 * What Lading keeps of a rule of the pull through cache beyond what ECR does: how long an answer about a tag stays fresh, and how many
 * bytes the rule's repositories may hold.
 */
export interface RuleSettings {
  /** 0 asks the upstream at each pull. `never` asks only for what is not cached. */
  readonly maxAgeMs: number | 'never'
  readonly maxBytes: number | 'unlimited'
}

/** ECR asks at most once in 24 hours (ECR user guide, "Sync an upstream registry with an Amazon ECR private registry"). */
export const defaultRuleSettings = { maxAgeMs: 24 * 60 * 60_000, maxBytes: 'unlimited' } as const satisfies RuleSettings

/** The settings as the columns of a rule hold them. */
interface SettingsRow {
  readonly max_age_ms: number | null
  readonly max_bytes: number | null
}

export function parseRuleSettings({ max_age_ms, max_bytes }: SettingsRow): RuleSettings {
  return { maxAgeMs: max_age_ms ?? 'never', maxBytes: max_bytes ?? 'unlimited' }
}

export function printRuleSettings({ maxAgeMs, maxBytes }: RuleSettings): SettingsRow {
  return { max_age_ms: maxAgeMs === 'never' ? null : maxAgeMs, max_bytes: maxBytes === 'unlimited' ? null : maxBytes }
}

/** The time of the last check of a tag that is to be checked at its next pull, by every rule. */
export const uncheckedAt = 0

/** Whether a tag may be served without asking the upstream. A clock that was set back makes an answer old. */
export function isFresh(checkedAt: number, { maxAgeMs }: RuleSettings, now: number): boolean {
  if (checkedAt === uncheckedAt) return false
  if (maxAgeMs === 'never') return true
  const age = now - checkedAt
  return age >= 0 && age < maxAgeMs
}
