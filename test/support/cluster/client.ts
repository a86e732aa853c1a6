/** A client of the cluster as one tool of many: it signs by the cluster's clock, and goes on when a server was killed under it. */
import { CreateRepositoryCommand, ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr'
import type { Registry } from '#test/support/push.ts'
import type { Credentials } from '#test/support/server.ts'
import type { Cluster } from './cluster.ts'

/** What a client meets when a server dies under its request, or the clock moves on; all else that a request ends with is an answer. */
export class Interrupted extends Error {}

export interface Client {
  ecr<T>(work: (client: ECRClient) => Promise<T>): Promise<T>
  oci<T>(work: (registry: Registry) => Promise<T>): Promise<T>
}

/** The token of the data plane is asked for anew after so long by the cluster's clock; it is good for twelve hours. */
const tokenMs = 6 * 60 * 60 * 1_000

/** @throws Interrupted from both, where the server that was asked is gone */
export function createClient(cluster: Cluster, region: string, credentials: Credentials): Client {
  let token: { readonly authorization: string; readonly aheadMs: number } | undefined

  async function ecr<T>(work: (client: ECRClient) => Promise<T>): Promise<T> {
    const endpoint = await cluster.url()
    const options = { endpoint, region, credentials, maxAttempts: 1, systemClockOffset: cluster.aheadMs }
    const client = new ECRClient(options)
    try {
      return await work(client)
    } catch (error) {
      throw isAnswer(error) && !isLate(error)
        ? error
        : new Interrupted('the server or the moment is gone', { cause: error })
    } finally {
      client.destroy()
    }
  }

  return {
    ecr,
    async oci(work) {
      if (token === undefined || cluster.aheadMs - token.aheadMs > tokenMs) {
        const { aheadMs } = cluster
        const { authorizationData } = await ecr((client) => client.send(new GetAuthorizationTokenCommand({})))
        token = { authorization: `Basic ${authorizationData?.[0]?.authorizationToken}`, aheadMs }
      }
      try {
        return await work({ url: await cluster.url(), authorization: token.authorization })
      } catch (error) {
        // What `fetch` throws where no answer, or only part of one, came.
        throw error instanceof TypeError ? new Interrupted('the server is gone', { cause: error }) : error
      }
    },
  }
}

/** On a busy machine the clock is moved by more than a signature may be late before a request is read. */
function isLate(error: unknown): boolean {
  return error instanceof Error && /^Signature (expired|not yet current)/.test(error.message)
}

function isAnswer(error: unknown): boolean {
  const metadata = error instanceof Error && '$metadata' in error ? error.$metadata : undefined
  return (
    typeof metadata === 'object' &&
    metadata !== null &&
    'httpStatusCode' in metadata &&
    metadata.httpStatusCode !== undefined
  )
}

export async function ensureRepository(client: Client, repositoryName: string): Promise<void> {
  await client
    .ecr((ecr) => ecr.send(new CreateRepositoryCommand({ repositoryName })))
    .catch((error: Error) => {
      if (error.name !== 'RepositoryAlreadyExistsException') throw error
    })
}
