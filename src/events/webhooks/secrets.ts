import { randomBytes } from 'node:crypto'
import type { SecretBox } from '#iam/secret-box.ts'

/** A secret of a webhook, as the receiver has it: `whsec_` and base64 (Standard Webhooks, "Signature scheme"). */
export interface WebhookSecret {
  readonly secret: string
  /** Until when it signs too, after a rotation. Absent for the one that counts. */
  readonly until?: number
}

/** The one that counts, first. */
export type WebhookSecrets = readonly WebhookSecret[]

/** The specification asks for 24 to 64 bytes. */
const secretBytes = 32
/** How long a secret signs after its rotation. */
export const rotationMs = 86_400_000
/** Each signs every message. A caller who rotates more often in a day loses the oldest. */
const mostSecrets = 5

export function newSecret(): string {
  return `whsec_${randomBytes(secretBytes).toString('base64')}`
}

/** A new secret counts. The others sign for a day from their own rotation on. */
export function rotated(secrets: WebhookSecrets, secret: string, now: number): WebhookSecrets {
  const before = signingAt(secrets, now).map((each) => ({ ...each, until: each.until ?? now + rotationMs }))
  return [{ secret }, ...before].slice(0, mostSecrets)
}

export function signingAt(secrets: WebhookSecrets, now: number): WebhookSecrets {
  return secrets.filter(({ until }) => until === undefined || until > now)
}

export function sealSecrets(box: SecretBox, secrets: WebhookSecrets): string {
  return box.seal(JSON.stringify(secrets))
}

/** @throws Error for what was sealed with another key */
export function openSecrets(box: SecretBox, sealed: string): WebhookSecrets {
  // Written by `sealSecrets`.
  return JSON.parse(box.open(sealed)) as WebhookSecrets
}
