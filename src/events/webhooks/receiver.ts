import type { SecretBox } from '#iam/secret-box.ts'
import type { Clock } from '#lib/clock.ts'
import type { Reader } from '#metadata/metadata.ts'
import type { Receiver } from './post.ts'
import { openSecrets, signingAt } from './secrets.ts'

/** The receiver of a webhook as it is now. `undefined` for one that is disabled or deleted. */
export async function findReceiver(
  reader: Reader,
  webhookId: number,
  { box, clock }: { readonly box: SecretBox; readonly clock: Clock },
): Promise<Receiver | undefined> {
  const row = await reader
    .selectFrom('webhook')
    .select(['url', 'sealed_secrets'])
    .where('id', '=', webhookId)
    .where('enabled', '=', 1)
    .executeTakeFirst()
  if (row === undefined) return undefined
  const secrets = signingAt(openSecrets(box, row.sealed_secrets), clock())
  return { url: row.url, secrets: secrets.map(({ secret }) => secret) }
}
