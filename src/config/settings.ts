import type { AccountId } from '#names/account.ts'
import type { Mirror } from '#names/mirror.ts'
import type { Peer } from '#names/peer.ts'
import type { Region } from '#names/region.ts'
import type { HostPort } from './host-port.ts'
import type { Quotas } from './quotas.ts'
import type { Upstreams } from './upstreams.ts'
import type { BlobsLocation, ListenAddress, LogLevel, Permission } from './values.ts'

/** What the start opens, and somebody else may refuse. */
export type OpenedSetting = 'listen' | 'database' | 'blobs' | 'secretKey'

/** Everything that an operator decides, checked. Made by `loadSettings` alone; never logged whole, for it holds keys. */
export interface Settings {
  readonly listen: ListenAddress
  /** Absolute folder. */
  readonly dataDir: string
  /** `sqlite:<absolute path>`, or `postgres://…` or `postgresql://…` as it was given. */
  readonly database: string
  readonly blobs: BlobsLocation
  /** Whether an empty database may serve the blobs of another one. */
  readonly foreignBlobs: Permission
  readonly account: AccountId
  readonly region: Region
  /** Where absent, the first start generates one. */
  readonly rootKey: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined
  /** What secrets are sealed with; where absent, the data folder's key is. */
  readonly secretKey: Buffer | undefined
  readonly domain: string | undefined
  /** Hosts below the domain, so that there are none without it. */
  readonly mirrors: readonly Mirror[]
  /** Addresses and CIDR ranges. */
  readonly anonymousPull: readonly string[]
  /** Scheme, host and port; absent where port 0 leaves it open until the server listens. */
  readonly publicUrl: string | undefined
  /** Addresses and CIDR ranges. */
  readonly trustedProxies: readonly string[]
  /** Whether `/v2/` accepts an access key in place of an authorization token. */
  readonly accessKeyLogin: boolean
  readonly workers: number
  /** How many connections of one address each process serves; infinite by default. */
  readonly connectionsPerAddress: number
  /** Whether an OIDC provider may have a private address. */
  readonly oidcPrivateHosts: Permission
  /** The hosts that images may be cached from, beside those that ECR knows. */
  readonly upstreams: Upstreams
  /** The registries that are in other deployments. */
  readonly peers: readonly Peer[]
  /** Receivers of webhooks that may have private addresses and may speak HTTP. */
  readonly webhookHosts: readonly HostPort[]
  readonly quotas: Quotas
  /** How many requests one principal may make in a second to one process; without a limit where it is 0. */
  readonly requestsPerSecond: number
  /** How long audit records are kept, in days; none are made where it is 0. */
  readonly auditDays: number
  /** How many MiB all audit records may have together; without a limit where it is 0. */
  readonly auditMaxMib: number
  /** For how long a link stays that no manifest needs, and stored content that has no row. */
  readonly gcGraceHours: number
  /** After how long without a byte an upload has been abandoned. */
  readonly uploadExpiryHours: number
  /** How fast the scrub reads; not at all where it is 0. */
  readonly scrubMibPerSecond: number
  /** PEM texts; where absent, the server speaks HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  readonly log: LogLevel
  /** Who gave a value and which, without secrets, as `openSetting` begins its line: `--listen is "127.0.0.1:80"`. */
  readonly origins: Readonly<Record<OpenedSetting, string>>
}
