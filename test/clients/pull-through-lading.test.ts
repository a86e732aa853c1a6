/** Pulls through the cache from another Lading, with the user name and the password of an authorization token in a secret. */
import { ECR } from '@aws-sdk/client-ecr'
import { pullsThrough } from '#test/suites/pull-through.ts'
import { startServeProcess } from '#test/support/serve-process.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const credentials = {
  accessKeyId: 'AKIATESTTESTUPSTREAM',
  secretAccessKey: 'test-secret-test-secret-test-secret-test',
}

pullsThrough({
  name: 'another Lading',
  programs: [],
  url: 'lading.example.com',
  async start() {
    await using stack = new AsyncDisposableStack()
    const folder = stack.use(await temporaryFolder())
    const server = stack.use(
      startServeProcess([
        ...['--listen', '127.0.0.1:0', '--data-dir', folder.path],
        ...['--root-access-key-id', credentials.accessKeyId],
        ...['--root-secret-access-key', credentials.secretAccessKey],
      ]),
    )
    const url = await server.url()
    const ecr = new ECR({ endpoint: url, region: 'us-east-1', credentials })
    stack.defer(() => ecr.destroy())
    const { authorizationData } = await ecr.getAuthorizationToken({})
    const token = authorizationData?.[0]?.authorizationToken ?? ''
    const [username = '', accessToken = ''] = Buffer.from(token, 'base64').toString().split(/:(.*)/s)
    const running = stack.move()
    return {
      target: { url, authorization: `Basic ${token}` },
      upstreams: `lading.example.com=${url}`,
      credentials: { username, accessToken },
      async createRepository(repositoryName) {
        await ecr.createRepository({ repositoryName })
      },
      [Symbol.asyncDispose]: () => running.disposeAsync(),
    }
  },
})
