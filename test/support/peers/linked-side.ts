/** A process of Lading in a network namespace, which a test kills and starts again over the same data. */
import { ECR } from '@aws-sdk/client-ecr'
import type { NetworkSide } from '#test/support/network-pair.ts'
import { type ServeProcess, startServeProcess } from '#test/support/serve-process.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

export interface LinkedSide extends AsyncDisposable {
  readonly ecr: ECR
  /** Where this process reaches it. */
  readonly port: number
  /** Ends it with SIGKILL. */
  kill(): Promise<void>
  start(): Promise<void>
}

export const rootKey = {
  accessKeyId: 'AKIALINKLINKLINKLINK',
  secretAccessKey: 'link-secret-link-secret-link-secret-link',
}

const port = 5100

/** Starts it. Its databases and files stay until it is disposed. */
export async function startLinkedSide(
  { under, address }: NetworkSide,
  { region, database, flags = [] }: { region: string; database: string; flags?: readonly string[] },
): Promise<LinkedSide> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const given = [
    ...['--listen', `${address}:${port}`, '--data-dir', folder.path, '--database', database, '--log', 'warn'],
    ...['--root-access-key-id', rootKey.accessKeyId, '--root-secret-access-key', rootKey.secretAccessKey],
    ...['--region', region, ...flags],
  ]
  let process: ServeProcess | undefined
  stack.defer(async () => process?.[Symbol.asyncDispose]())
  // The SDK adds a member to the credentials that it is given.
  const ecr = new ECR({ endpoint: `http://${address}:${port}`, region, credentials: { ...rootKey }, maxAttempts: 1 })
  stack.defer(() => ecr.destroy())

  async function start(): Promise<void> {
    process = startServeProcess(given, { under })
    await process.url()
  }

  await start()
  const owned = stack.move()
  return {
    ...{ ecr, port, start },
    async kill() {
      process?.signal('SIGKILL')
      await process?.exit
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
