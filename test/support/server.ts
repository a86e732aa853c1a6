/**
 * A running Lading for a test: in this process, on a port of its own, over a data folder that is gone afterwards. Everything
 * is real but the clock, which a test may move. Each answer of the control plane is checked against the API model.
 */
import { type Logger, pino } from 'pino'
import { type AppOptions, prepare, startApp } from '#app.ts'
import { loadSettings } from '#config/load.ts'
import { ensureRoot } from '#iam/access-keys.ts'
import { openSecrets } from '#iam/secret-key.ts'
import { type Clock, systemClock } from '#lib/clock.ts'
import { openMetadata } from '#metadata/open.ts'
import { parseAccountId } from '#names/account.ts'
import { selfSigned } from '#test/fixtures/tls/pair.ts'
import { temporaryFolder } from './temporary-folder.ts'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface RunningServer extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  /** `127.0.0.1:<port>` */
  readonly host: string
  readonly account: string
  readonly region: string
  /** The root key of `account`. */
  readonly credentials: Credentials
  readonly dataDir: string
  /** Settings by which commands find what this server serves. */
  readonly environment: Readonly<Record<string, string>>
  /** Creates a further account and answers its root key. */
  addAccount(account: string): Promise<Credentials>
  stop(): Promise<void>
}

export interface ServerOptions {
  /** A value of `LADING_DATABASE`; by default SQLite in the data folder. */
  readonly database?: string
  readonly clock?: Clock
  /** Further settings, by the names of their environment variables. */
  readonly environment?: Readonly<Record<string, string>>
  readonly log?: Logger
  /** Short ones, for a test in which an upstream breaks. */
  readonly upstreamWaits?: AppOptions['upstreamWaits']
  /** Short ones, for a test in which a receiver fails. */
  readonly webhookWaits?: AppOptions['webhookWaits']
  /** In PEM, instead of the certificate of the tests. */
  readonly trustedCertificates?: readonly string[]
}

const rootKey: Credentials = {
  accessKeyId: 'AKIATESTTESTTESTTEST',
  secretAccessKey: 'test-secret-test-secret-test-secret-test',
}

/** Of every server, since several may share one database. */
const secretKey = Buffer.alloc(32, 7).toString('base64')

export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const folder = await temporaryFolder()
  const environment = {
    LADING_DATA_DIR: folder.path,
    LADING_SECRET_KEY: secretKey,
    ...(options.database !== undefined && { LADING_DATABASE: options.database }),
  }
  const settings = loadSettings({
    flags: {},
    environment: {
      ...environment,
      LADING_LISTEN: '127.0.0.1:0',
      LADING_ROOT_ACCESS_KEY_ID: rootKey.accessKeyId,
      LADING_ROOT_SECRET_ACCESS_KEY: rootKey.secretAccessKey,
      ...options.environment,
    },
  })
  const log = options.log ?? pino({ level: process.env.LADING_TEST_LOG ?? 'silent' }, pino.destination(2))
  await prepare(settings, log)
  const { clock = systemClock, upstreamWaits, webhookWaits, trustedCertificates = [selfSigned.cert] } = options
  const app = await startApp(settings, log, {
    ...{ clock, verifyOutputs: true, trustedCertificates },
    ...(upstreamWaits && { upstreamWaits }),
    ...(webhookWaits && { webhookWaits }),
  })
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= app.stop().then(() => folder[Symbol.asyncDispose]())
    return stopped
  }
  return {
    url: app.localUrl,
    host: new URL(app.localUrl).host,
    account: settings.account,
    region: settings.region,
    credentials: rootKey,
    dataDir: folder.path,
    environment,
    async addAccount(account) {
      const metadata = await openMetadata(settings.database, (error) => log.error({ err: error }))
      try {
        const box = await openSecrets({ metadata, ...settings })
        const { accessKeyId, secretAccessKey } = await ensureRoot({ metadata, clock, box }, parseAccountId(account))
        return { accessKeyId, secretAccessKey }
      } finally {
        await metadata.close()
      }
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
