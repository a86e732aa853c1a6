/**
 * Lading as users start it: `lading serve`, everything at its default but the port and the data folder, so that each request
 * is authenticated and logged, and each push fsynced.
 */
import { fileURLToPath } from 'node:url'
import { ECR } from '@aws-sdk/client-ecr'
import { IAM, type IAMClientConfig } from '@aws-sdk/client-iam'
import { type Api, createApi } from '#commands/api/client.ts'
import { type Server, type ServerProcess, startProcess } from './server.ts'

const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const key = { accessKeyId: 'AKIABENCHBENCHBENCHB', secretAccessKey: 'bench-secret-bench-secret-bench-secret-b' }

export interface LadingServer extends Server {
  /** Both with the root key. */
  readonly ecr: ECR
  readonly iam: IAM
  /** Its own API, with the root key. */
  readonly api: Api
  /** The file of its database. */
  readonly database: string
  /** Its working folder. */
  readonly folder: string
}

export interface LadingOptions {
  /** Further variables of the process. */
  readonly environment?: Readonly<Record<string, string>>
  /** How many files and sockets it may have open; the limit of the benchmark by default. */
  readonly descriptors?: number
}

export async function startLading(options: LadingOptions = {}): Promise<LadingServer> {
  await using started = new AsyncDisposableStack()
  const process = started.use(await startLadingProcess(0, options))
  const url = await process.until(async () => urlIn(await process.output()))
  const client = { endpoint: url, region: 'us-east-1', credentials: key }
  const ecr = new ECR(client)
  started.defer(() => ecr.destroy())
  const iam = new IAM(client)
  started.defer(() => iam.destroy())
  const password = await passwordBy(ecr)
  const running = started.move()
  const server: LadingServer = {
    name: 'Lading',
    ...{ ecr, iam },
    api: createApi({ ...client, endpoint: new URL(url), credentials: async () => key }),
    folder: process.folder,
    database: `${dataFolder(process.folder)}/lading.db`,
    port: Number(new URL(url).port),
    pid: process.pid,
    password,
    createRepository: async (repositoryName) => {
      await ecr.createRepository({ repositoryName })
    },
    async asUser() {
      const credentials = await createPuller(client)
      const ecr = new ECR({ ...client, credentials })
      try {
        return { ...server, password: await passwordBy(ecr) }
      } finally {
        ecr.destroy()
      }
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
  return server
}

async function passwordBy(ecr: ECR): Promise<string> {
  const { authorizationData } = await ecr.getAuthorizationToken({})
  const token = Buffer.from(authorizationData?.[0]?.authorizationToken ?? '', 'base64').toString()
  return token.slice('AWS:'.length)
}

async function createPuller(options: IAMClientConfig) {
  const iam = new IAM(options)
  try {
    const UserName = 'puller'
    await iam.createUser({ UserName })
    const PolicyArn = 'arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly'
    await iam.attachUserPolicy({ UserName, PolicyArn })
    const { AccessKey } = await iam.createAccessKey({ UserName })
    return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' }
  } finally {
    iam.destroy()
  }
}

/** The bare process, on an empty data folder; `port` 0 lets the system choose. */
export function startLadingProcess(port = 0, { descriptors, environment }: LadingOptions = {}): Promise<ServerProcess> {
  const limited = descriptors === undefined ? [] : ['/bin/sh', '-c', `ulimit -n ${descriptors}; exec "$0" "$@"`]
  const [first = '', ...args] = [...limited, process.execPath, program, 'serve']
  return startProcess(async (folder) => ({
    program: first,
    args,
    env: {
      PATH: process.env.PATH ?? '',
      LADING_LISTEN: `127.0.0.1:${port}`,
      LADING_DATA_DIR: dataFolder(folder),
      LADING_ROOT_ACCESS_KEY_ID: key.accessKeyId,
      LADING_ROOT_SECRET_ACCESS_KEY: key.secretAccessKey,
      ...environment,
    },
  }))
}

const dataFolder = (folder: string) => `${folder}/data`

function urlIn(output: string): string | undefined {
  return /^Lading serves (\S+)$/m.exec(output)?.[1]
}
