// Every setting of Lading, once. Flags, environment variables, the keys of lading.yaml, `lading serve --help` and the
// one-line errors all come from this table, so none of them can forget a setting.

import { type AccountId, isAccountId } from '#names/account.ts'
import type { Mirror } from '#names/mirror.ts'
import { isRegion, type Region } from '#names/region.ts'
import { type HostPort, parseHostPorts } from './host-port.ts'
import { parseQuotas, type Quotas, quotaNames } from './quotas.ts'
import { showNothing, showUrl, showUrls } from './shown.ts'
import { parseUpstreams, type Upstreams } from './upstreams.ts'
import {
  type BlobsLocation,
  type ListenAddress,
  type LogLevel,
  logLevels,
  type Permission,
  parseAccessKeyId,
  parseBlobs,
  parseConnections,
  parseDatabase,
  parseDays,
  parseDomain,
  parseHours,
  parseListen,
  parseLogLevel,
  parseMib,
  parseMibPerSecond,
  parseMirrors,
  parseNetworks,
  parsePath,
  parsePemFile,
  parsePermission,
  parsePublicUrl,
  parseRequestsPerSecond,
  parseSecretAccessKey,
  parseSecretKey,
  parseSwitch,
  parseTrustedProxies,
  parseWorkers,
} from './values.ts'

/** What each setting's text parses to. */
export interface SettingValues {
  readonly listen: ListenAddress
  readonly dataDir: string
  readonly database: string
  readonly blobs: BlobsLocation
  readonly foreignBlobs: Permission
  readonly account: AccountId
  readonly region: Region
  readonly rootAccessKeyId: string
  readonly rootSecretAccessKey: string
  readonly secretKey: Buffer
  readonly domain: string
  readonly mirrors: readonly Mirror[]
  readonly anonymousPull: readonly string[]
  readonly publicUrl: string
  readonly trustedProxies: readonly string[]
  readonly accessKeyLogin: boolean
  readonly workers: number
  readonly connectionsPerAddress: number
  readonly oidcPrivateHosts: Permission
  readonly upstreams: Upstreams
  /** The file that lists them. */
  readonly peers: string
  readonly webhookHosts: readonly HostPort[]
  readonly quotas: Quotas
  readonly requestsPerSecond: number
  readonly auditDays: number
  readonly auditMaxMib: number
  readonly gcGraceHours: number
  readonly uploadExpiryHours: number
  readonly scrubMibPerSecond: number
  readonly tlsCert: string
  readonly tlsKey: string
  readonly log: LogLevel
}

export type SettingKey = keyof SettingValues

export interface Setting<Value> {
  /** What stands for the value in a usage line. */
  readonly placeholder: string
  readonly help: string
  /** Completes "expected …". */
  readonly expected: string
  readonly parse: (text: string) => Value | undefined
  /** The text that stands where nobody set one; `<data dir>` in it is the data folder. */
  readonly fallback?: string
  /** What happens without a value, where no text says it. */
  readonly otherwise?: string
  /** What an error shows of a text: `showText` if it does not say. */
  readonly show?: (text: string) => string | undefined
}

export const settingsTable: { readonly [Key in SettingKey]: Setting<SettingValues[Key]> } = {
  listen: {
    placeholder: 'host:port',
    help: 'address and port of every HTTP surface; ":5100" is every address of the machine',
    expected: 'host:port, such as 127.0.0.1:5100, [::1]:5100 or :5100',
    parse: parseListen,
    fallback: '127.0.0.1:5100',
  },
  dataDir: {
    placeholder: 'folder',
    help: 'folder of the embedded database, blobs and keys',
    expected: 'a folder',
    parse: parsePath,
    fallback: './data',
  },
  database: {
    placeholder: 'url',
    help: 'where metadata is kept: sqlite:<path> or postgres://…',
    expected: 'sqlite:<path> or postgres://<user>:<password>@<host>/<database>, percent-encoded',
    parse: parseDatabase,
    fallback: 'sqlite:<data dir>/lading.db',
    show: showUrl,
  },
  blobs: {
    placeholder: 'url',
    help: 'where blobs are kept: file:<path>',
    expected: 'file:<path>; this version keeps blobs in files only, not yet in s3://…',
    parse: parseBlobs,
    fallback: 'file:<data dir>/blobs',
    show: showUrl,
  },
  foreignBlobs: {
    placeholder: 'permission',
    help: 'whether an empty database may serve blobs that belong to another one',
    expected: 'allow or forbid',
    parse: parsePermission,
    fallback: 'forbid',
  },
  account: {
    placeholder: 'account',
    help: "account of the first start's root key",
    expected: 'an AWS account of twelve digits',
    parse: (text) => (isAccountId(text) ? text : undefined),
    fallback: '000000000000',
  },
  region: {
    placeholder: 'region',
    help: 'region of the lines to paste that the first start prints',
    expected: 'a region, such as us-east-1',
    parse: (text) => (isRegion(text) ? text : undefined),
    fallback: 'us-east-1',
  },
  rootAccessKeyId: {
    placeholder: 'id',
    help: "access key id of the account's root",
    expected: '3 to 128 letters, digits or underscores',
    parse: parseAccessKeyId,
    otherwise: 'generated at the first start, kept, and printed once',
    // Whoever mixes up the two halves of a key has put the secret here.
    show: showNothing,
  },
  rootSecretAccessKey: {
    placeholder: 'secret',
    help: "secret access key of the account's root",
    expected: '8 to 128 printable characters without spaces',
    parse: parseSecretAccessKey,
    otherwise: 'generated at the first start, kept, and printed once',
    show: showNothing,
  },
  secretKey: {
    placeholder: 'base64',
    help: 'key that seals the secrets in the database: the same for all nodes that share one',
    expected: '32 bytes in base64, such as openssl rand -base64 32 gives',
    parse: parseSecretKey,
    otherwise: 'the file secret.key in the data folder, made at the first start',
    show: showNothing,
  },
  domain: {
    placeholder: 'domain',
    help: 'registries are also reached as <account>.dkr.ecr.<region>.<domain>, and URIs are of that form',
    expected: 'a domain without scheme or port, such as registry.example.com',
    parse: parseDomain,
    otherwise: 'none',
  },
  mirrors: {
    placeholder: 'label=cache,…',
    help: 'hosts <label>.<domain>, each of which serves a pull-through cache as a mirror: hub=<account>/<region>/docker-hub',
    expected: '<label>=<account>/<region>/<prefix of a cache, or ROOT>, several separated by commas, each label once',
    parse: parseMirrors,
    otherwise: 'none',
  },
  anonymousPull: {
    placeholder: 'network,…',
    help: 'networks from which clients may pull without credentials, where a policy allows it to everybody',
    expected: 'addresses or CIDR ranges, several separated by commas, such as 10.0.0.0/8,2001:db8::/32',
    parse: parseNetworks,
    otherwise: 'none',
  },
  publicUrl: {
    placeholder: 'url',
    help: 'scheme, host and port that clients see, behind a proxy',
    expected: 'http(s)://host[:port] without a path, such as https://registry.example.com',
    parse: parsePublicUrl,
    otherwise: 'from the address it listens on',
    show: showUrl,
  },
  trustedProxies: {
    placeholder: 'address,…',
    help: 'proxies whose X-Forwarded-For and X-Forwarded-Proto are believed',
    expected: 'addresses or CIDR ranges, several separated by commas, such as 127.0.0.1,10.1.0.0/16',
    parse: parseTrustedProxies,
    otherwise: 'none',
  },
  accessKeyLogin: {
    placeholder: 'on|off',
    help: 'on: docker and its kin may also log in with an access key id as user and its secret as password',
    expected: 'on or off',
    parse: parseSwitch,
    fallback: 'off',
  },
  workers: {
    placeholder: 'count',
    help: 'processes that share the listening socket',
    expected: 'a whole number from 1 to 64',
    parse: parseWorkers,
    fallback: '1',
  },
  connectionsPerAddress: {
    placeholder: 'count',
    help: 'how many connections of one address each process serves; trusted proxies are exempt',
    expected: 'a whole number from 1 to 999999',
    parse: parseConnections,
    otherwise: 'no limit',
  },
  oidcPrivateHosts: {
    placeholder: 'permission',
    help: 'whether OIDC identity providers may have private addresses',
    expected: 'allow or forbid',
    parse: parsePermission,
    fallback: 'allow',
  },
  upstreams: {
    placeholder: 'host,…',
    help: 'further registries that images are cached from, each host[:port][=url]; none forbids all',
    expected:
      'none, or host[:port][=url], several separated by commas, such as registry.example.com,quay.io=https://mirror',
    parse: parseUpstreams,
    otherwise: 'the registries that ECR knows',
    show: showUrls,
  },
  peers: {
    placeholder: 'file',
    help: 'YAML file of the registries in other deployments that images are replicated to',
    expected: 'a file',
    parse: parsePath,
    otherwise: 'none',
  },
  webhookHosts: {
    placeholder: 'host,…',
    help: 'receivers of webhooks that may have private addresses and may speak HTTP, each host[:port]',
    expected: 'host[:port], several separated by commas, such as hooks.internal,10.0.0.5:8080',
    parse: parseHostPorts,
    otherwise: 'none',
  },
  quotas: {
    placeholder: 'name=count,…',
    help: 'how much there may be at most of what ECR limits',
    expected: `<name>=<count>, several separated by commas, of the names ${quotaNames.join(', ')}; bytes as 500GiB or none`,
    parse: parseQuotas,
    otherwise: "ECR's quotas",
  },
  requestsPerSecond: {
    placeholder: 'count',
    help: 'how many requests a user, a role or a root may make in a second to each process; 0 sets no limit',
    expected: 'a whole number from 0 to 100000',
    parse: parseRequestsPerSecond,
    fallback: '0',
  },
  auditDays: {
    placeholder: 'days',
    help: 'how long the record of calls, pushes, pulls and deletions is kept; 0 keeps none',
    expected: 'a whole number of days from 0 to 3650',
    parse: parseDays,
    fallback: '90',
  },
  auditMaxMib: {
    placeholder: 'MiB',
    help: 'how much disk space that record may have, about; 0 sets no limit',
    expected: 'a whole number of MiB from 0 to 99999999',
    parse: parseMib,
    fallback: '4096',
  },
  gcGraceHours: {
    placeholder: 'hours',
    help: 'for how long a layer stays that no image refers to',
    expected: 'a whole number of hours from 1 to 8760',
    parse: parseHours,
    fallback: '24',
  },
  uploadExpiryHours: {
    placeholder: 'hours',
    help: 'after how long without a byte an upload ends',
    expected: 'a whole number of hours from 1 to 8760',
    parse: parseHours,
    fallback: '24',
  },
  scrubMibPerSecond: {
    placeholder: 'MiB',
    help: 'how fast stored content is read time and again, to find what is damaged; 0 never reads it',
    expected: 'a whole number of MiB a second from 0 to 9999',
    parse: parseMibPerSecond,
    fallback: '8',
  },
  tlsCert: {
    placeholder: 'file',
    help: 'certificate chain to serve HTTPS with, together with its key',
    expected: 'a readable PEM file',
    parse: parsePemFile,
    otherwise: 'none, serve HTTP',
  },
  tlsKey: {
    placeholder: 'file',
    help: "the certificate's private key",
    expected: 'a readable PEM file',
    parse: parsePemFile,
    otherwise: 'none, serve HTTP',
  },
  log: {
    placeholder: 'level',
    help: 'level of the JSON lines on standard error',
    expected: `one of ${logLevels.join(', ')}`,
    parse: parseLogLevel,
    fallback: 'info',
  },
}

// The table's type has a key for each of SettingKey and no other, which Object.keys cannot know.
export const settingKeys = Object.keys(settingsTable) as SettingKey[]
