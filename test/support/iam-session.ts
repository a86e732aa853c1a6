/** A running Lading and the AWS SDK's IAM client for it, with the root key of its account. The client does not retry. */
import { IAM } from '@aws-sdk/client-iam'
import { type Credentials, type RunningServer, type ServerOptions, startServer } from './server.ts'

export interface IamSession extends AsyncDisposable {
  readonly server: RunningServer
  readonly iam: IAM
  /** A client with other credentials. */
  client(credentials: Credentials): IAM
}

export async function startIamSession(options: ServerOptions = {}): Promise<IamSession> {
  const server = await startServer(options)
  const clients: IAM[] = []
  const client = (credentials: Credentials) => {
    const created = new IAM({ endpoint: server.url, region: server.region, credentials, maxAttempts: 1 })
    clients.push(created)
    return created
  }
  return {
    server,
    iam: client(server.credentials),
    client,
    async [Symbol.asyncDispose]() {
      for (const each of clients) each.destroy()
      await server.stop()
    },
  }
}
