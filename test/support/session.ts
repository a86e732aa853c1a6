/**
 * A person at a terminal who works with a running Lading: a home folder of their own, the root key in the environment
 * as AWS's tools expect it, and logged in nowhere. Nothing of it touches the real home of whoever runs the tests.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CreateRepositoryCommand, ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr'
import { findProgram, type RunOptions, run } from './run.ts'
import { type RunningServer, type ServerOptions, startServer } from './server.ts'
import { temporaryFolder } from './temporary-folder.ts'

export interface Session extends AsyncDisposable {
  readonly server: RunningServer
  /** `http://<host>`, which AWS's tools take as their endpoint. */
  url: string
  /** `127.0.0.1:<port>`, as it stands before the slash of an image's name. */
  host: string
  /** Gone when the session ends. */
  folder: string
  env: Record<string, string>
  /** Runs a program as this person; gives its standard output, throws if it fails. */
  run: (program: string, args: readonly string[], options?: Omit<RunOptions, 'env'>) => Promise<string>
  /** What docker and its kin take as the password of the user `AWS`; asked for as people do where `aws` is there. */
  password: () => Promise<string>
  /** Creates a repository and gives its full name, `<host>/<name>`. */
  repository: (name: string) => Promise<string>
}

/** Starts a server, to which the session belongs, and ends it with the session. */
export async function startSession(options: ServerOptions = {}): Promise<Session> {
  const server = await startServer(options)
  const folder = await temporaryFolder()
  const env = await homeIn(folder.path, {
    AWS_ENDPOINT_URL: server.url,
    AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    AWS_DEFAULT_REGION: server.region,
    AWS_EC2_METADATA_DISABLED: 'true',
  })
  const ecr = new ECRClient({ endpoint: server.url, region: server.region, credentials: server.credentials })
  const runAsPerson: Session['run'] = (program, args, options) => run(program, args, { ...options, env })
  return {
    server,
    url: server.url,
    host: server.host,
    folder: folder.path,
    env,
    run: runAsPerson,
    password: async () =>
      findProgram('aws') === undefined
        ? await passwordBySdk(ecr)
        : // Debian 12's aws is older than AWS_ENDPOINT_URL.
          (await runAsPerson('aws', ['ecr', 'get-login-password', '--endpoint-url', server.url])).trimEnd(),
    repository: async (name) => {
      await ecr.send(new CreateRepositoryCommand({ repositoryName: name }))
      return `${server.host}/${name}`
    },
    [Symbol.asyncDispose]: async () => {
      ecr.destroy()
      await server.stop()
      await folder[Symbol.asyncDispose]()
    },
  }
}

/** An environment whose home, client settings and logins lie in `folder`. */
async function homeIn(folder: string, env: Record<string, string>): Promise<Record<string, string>> {
  const docker = join(folder, 'docker')
  const logins = join(docker, 'config.json')
  await mkdir(docker)
  await writeFile(logins, '{"auths":{}}')
  return {
    ...env,
    HOME: folder,
    TMPDIR: folder,
    XDG_RUNTIME_DIR: folder,
    DOCKER_CONFIG: docker,
    REGISTRY_AUTH_FILE: logins,
    HELM_REGISTRY_CONFIG: logins,
  }
}

async function passwordBySdk(ecr: ECRClient): Promise<string> {
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}))
  const token = Buffer.from(authorizationData?.[0]?.authorizationToken ?? '', 'base64').toString()
  return token.slice('AWS:'.length)
}
