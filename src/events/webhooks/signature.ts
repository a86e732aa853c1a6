import { Webhook as Signer } from 'standardwebhooks'

export interface Signed {
  /** The same for each attempt, so that a receiver notices a message that comes again. */
  readonly id: string
  readonly body: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** The headers of a message (Standard Webhooks, "Webhook headers"), with a signature by each secret. */
export function signatureHeaders(secrets: readonly string[], { id, body, at }: Signed): Record<string, string> {
  const signatures = secrets.map((secret) => new Signer(secret).sign(id, new Date(at), body))
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at / 1_000)),
    'webhook-signature': signatures.join(' '),
  }
}
