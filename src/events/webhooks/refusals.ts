import { refusals } from '#lib/refusal.ts'
import type { Registry } from '#names/registry.ts'

/**
 * Why a URL cannot be a receiver's. `http`: HTTP to a host that is not in `LADING_WEBHOOK_HOSTS`. `address`: a private address of such a host,
 * or a link-local one.
 */
export type UrlProblem = 'syntax' | 'scheme' | 'credentials' | 'fragment' | 'http' | 'address'

/** What webhooks decline. */
export interface WebhookRefusals {
  WebhookAlreadyExists: { readonly registry: Registry; readonly name: string }
  WebhookNotFound: { readonly registry: Registry; readonly name: string }
  WebhookUrlInvalid: { readonly problem: UrlProblem }
  /** No event that waits or that is dead has this id. */
  DeliveryNotFound: { readonly name: string; readonly eventId: string }
}

export const refuse = refusals<WebhookRefusals>()
