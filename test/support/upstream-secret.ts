/** A secret with credentials for an upstream registry, which a rule of the pull through cache names. */
import { SecretsManager } from '@aws-sdk/client-secrets-manager'
import type { RunningServer } from './server.ts'

const usualCredentials = { username: 'hub-user', accessToken: 'hub-token' }

type Place = Pick<RunningServer, 'url' | 'region' | 'credentials'>

export function openSecrets({ url, region, credentials }: Place): Disposable & { readonly client: SecretsManager } {
  const client = new SecretsManager({ endpoint: url, region, credentials, maxAttempts: 1 })
  return { client, [Symbol.dispose]: () => client.destroy() }
}

/** Creates `ecr-pullthroughcache/<name>` and gives its ARN. */
export async function createUpstreamSecret(
  place: Place,
  name: string,
  { value = JSON.stringify(usualCredentials), KmsKeyId }: { readonly value?: string; readonly KmsKeyId?: string } = {},
): Promise<string> {
  using secrets = openSecrets(place)
  const input = { Name: `ecr-pullthroughcache/${name}`, SecretString: value, KmsKeyId }
  const { ARN = '' } = await secrets.client.createSecret(input)
  return ARN
}
