import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { listeningUrl } from '#config/listening-url.ts'
import { loadSettings, type SettingsSources } from '#config/load.ts'
import { environmentName, flagName } from '#config/names.ts'
import { ecrQuotas } from '#config/quotas.ts'
import { SettingError } from '#config/setting-error.ts'
import type { Settings } from '#config/settings.ts'
import { type SettingKey, settingKeys } from '#config/table.ts'
import { selfSigned } from '#test/fixtures/tls/pair.ts'

let folder: string
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'lading-config-'))
})
after(() => rmSync(folder, { recursive: true }))

const rootKey = { rootAccessKeyId: 'AKIAIOSFODNN7EXAMPLE', rootSecretAccessKey: 'wJalrXUtnFEMI/K7MDENG' }
const tls = { tlsCert: selfSigned.certFile, tlsKey: selfSigned.keyFile }

type Texts = Partial<Record<SettingKey, string>>

/** The settings of one source alone, or of several laid over one another. */
function load({
  flags = {},
  environment = {},
  file = {},
}: {
  flags?: Texts
  environment?: Texts
  file?: Texts
}): Settings {
  const config = join(folder, 'lading.yaml')
  writeFileSync(config, JSON.stringify(file))
  const named = Object.entries(environment).map(([key, text]) => [environmentName(key), text])
  return loadSettings({ flags: { ...flags, config }, environment: Object.fromEntries(named) })
}

const examples: readonly { key: SettingKey; texts: Texts; read: (settings: Settings) => unknown; value: unknown }[] = [
  { key: 'listen', texts: { listen: '[::1]:8443' }, read: (s) => s.listen, value: { host: '::1', port: 8443 } },
  { key: 'dataDir', texts: { dataDir: 'elsewhere' }, read: (s) => s.dataDir, value: resolve('elsewhere') },
  { key: 'database', texts: { database: 'postgres://u:p@h/d' }, read: (s) => s.database, value: 'postgres://u:p@h/d' },
  {
    key: 'blobs',
    texts: { blobs: 'file:/srv/blobs' },
    read: (s) => s.blobs,
    value: { kind: 'file', path: '/srv/blobs' },
  },
  { key: 'foreignBlobs', texts: { foreignBlobs: 'allow' }, read: (s) => s.foreignBlobs, value: 'allow' },
  { key: 'account', texts: { account: '012345678901' }, read: (s) => s.account, value: '012345678901' },
  { key: 'region', texts: { region: 'eu-north-1' }, read: (s) => s.region, value: 'eu-north-1' },
  { key: 'rootAccessKeyId', texts: rootKey, read: (s) => s.rootKey?.accessKeyId, value: rootKey.rootAccessKeyId },
  {
    key: 'rootSecretAccessKey',
    texts: rootKey,
    read: (s) => s.rootKey?.secretAccessKey,
    value: rootKey.rootSecretAccessKey,
  },
  {
    key: 'secretKey',
    texts: { secretKey: `${'A'.repeat(43)}=` },
    read: (s) => s.secretKey,
    value: Buffer.alloc(32),
  },
  { key: 'domain', texts: { domain: 'Registry.Example.com' }, read: (s) => s.domain, value: 'registry.example.com' },
  {
    key: 'mirrors',
    texts: {
      domain: 'registry.example.com',
      mirrors: 'hub=000000000000/us-east-1/docker-hub, all=111111111111/eu-west-1/ROOT,x=000000000000/us-east-1/a/b',
    },
    read: (s) => s.mirrors,
    value: [
      { label: 'hub', registry: { account: '000000000000', region: 'us-east-1' }, prefix: 'docker-hub' },
      { label: 'all', registry: { account: '111111111111', region: 'eu-west-1' }, prefix: 'ROOT' },
      { label: 'x', registry: { account: '000000000000', region: 'us-east-1' }, prefix: 'a/b' },
    ],
  },
  {
    key: 'anonymousPull',
    texts: { anonymousPull: '10.0.0.0/8, ::/0,192.0.2.1' },
    read: (s) => s.anonymousPull,
    value: ['10.0.0.0/8', '::/0', '192.0.2.1'],
  },
  {
    key: 'publicUrl',
    texts: { publicUrl: 'https://r.example.com/' },
    read: (s) => s.publicUrl,
    value: 'https://r.example.com',
  },
  {
    key: 'trustedProxies',
    texts: { trustedProxies: '127.0.0.1, 10.0.0.0/8,fd00::/8' },
    read: (s) => s.trustedProxies,
    value: ['127.0.0.1', '10.0.0.0/8', 'fd00::/8'],
  },
  { key: 'accessKeyLogin', texts: { accessKeyLogin: 'on' }, read: (s) => s.accessKeyLogin, value: true },
  { key: 'workers', texts: { workers: '4' }, read: (s) => s.workers, value: 4 },
  {
    key: 'connectionsPerAddress',
    texts: { connectionsPerAddress: '20' },
    read: (s) => s.connectionsPerAddress,
    value: 20,
  },
  {
    key: 'oidcPrivateHosts',
    texts: { oidcPrivateHosts: 'forbid' },
    read: (s) => s.oidcPrivateHosts,
    value: 'forbid',
  },
  {
    key: 'upstreams',
    texts: { upstreams: 'registry.example.com:5000,quay.io=https://mirror.example.com' },
    read: (s) => s.upstreams,
    value: [
      { host: 'registry.example.com:5000', url: undefined },
      { host: 'quay.io', url: 'https://mirror.example.com/' },
    ],
  },
  {
    key: 'peers',
    get texts() {
      const path = join(folder, 'no-peers.yaml')
      writeFileSync(path, 'peers: []')
      return { peers: path }
    },
    read: (s) => s.peers,
    value: [],
  },
  {
    key: 'webhookHosts',
    texts: { webhookHosts: 'hooks.internal, [fd00::5]:8080' },
    read: (s) => s.webhookHosts,
    value: [
      { hostname: 'hooks.internal', port: undefined },
      { hostname: '[fd00::5]', port: 8080 },
    ],
  },
  {
    key: 'quotas',
    texts: { quotas: 'images=5, tags=0' },
    read: (s) => s.quotas,
    value: { ...ecrQuotas, images: 5, tags: 0 },
  },
  { key: 'requestsPerSecond', texts: { requestsPerSecond: '50' }, read: (s) => s.requestsPerSecond, value: 50 },
  { key: 'auditDays', texts: { auditDays: '30' }, read: (s) => s.auditDays, value: 30 },
  { key: 'auditMaxMib', texts: { auditMaxMib: '0' }, read: (s) => s.auditMaxMib, value: 0 },
  { key: 'gcGraceHours', texts: { gcGraceHours: '48' }, read: (s) => s.gcGraceHours, value: 48 },
  { key: 'uploadExpiryHours', texts: { uploadExpiryHours: '2' }, read: (s) => s.uploadExpiryHours, value: 2 },
  { key: 'scrubMibPerSecond', texts: { scrubMibPerSecond: '0' }, read: (s) => s.scrubMibPerSecond, value: 0 },
  { key: 'tlsCert', texts: tls, read: (s) => s.tls?.cert, value: selfSigned.cert },
  { key: 'tlsKey', texts: tls, read: (s) => s.tls?.key, value: selfSigned.key },
  { key: 'log', texts: { log: 'debug' }, read: (s) => s.log, value: 'debug' },
]

test('every setting has an example here', () => {
  assert.deepEqual(
    examples.map(({ key }) => key),
    settingKeys,
  )
})

for (const example of examples) {
  const { key, read, value } = example
  test(`${key} is taken from ${flagName(key)}, ${environmentName(key)} and the file`, () => {
    const { texts } = example
    assert.deepEqual(read(load({ flags: texts })), value)
    assert.deepEqual(read(load({ environment: texts })), value)
    assert.deepEqual(read(load({ file: texts })), value)
  })
}

test('a flag wins over the environment, which wins over the file', () => {
  const [flags, environment, file] = [{ region: 'a-1' }, { region: 'b-1' }, { region: 'c-1' }]
  assert.equal(load({ flags, environment, file }).region, 'a-1')
  assert.equal(load({ environment, file }).region, 'b-1')
  assert.equal(load({ file }).region, 'c-1')
})

test('without any source the documented defaults hold', () => {
  assert.deepEqual(load({}), {
    listen: { host: '127.0.0.1', port: 5100 },
    dataDir: resolve('data'),
    database: `sqlite:${resolve('data')}/lading.db`,
    blobs: { kind: 'file', path: resolve('data/blobs') },
    foreignBlobs: 'forbid',
    account: '000000000000',
    region: 'us-east-1',
    rootKey: undefined,
    secretKey: undefined,
    domain: undefined,
    mirrors: [],
    anonymousPull: [],
    publicUrl: undefined,
    trustedProxies: [],
    accessKeyLogin: false,
    workers: 1,
    connectionsPerAddress: Number.POSITIVE_INFINITY,
    oidcPrivateHosts: 'allow',
    upstreams: [],
    peers: [],
    webhookHosts: [],
    quotas: ecrQuotas,
    requestsPerSecond: 0,
    auditDays: 90,
    auditMaxMib: 4096,
    gcGraceHours: 24,
    uploadExpiryHours: 24,
    scrubMibPerSecond: 8,
    tls: undefined,
    log: 'info',
    origins: {
      listen: 'LADING_LISTEN is "127.0.0.1:5100" by default',
      database: `LADING_DATABASE is "sqlite:${resolve('data')}/lading.db" by default`,
      blobs: `LADING_BLOBS is "file:${resolve('data')}/blobs" by default`,
      secretKey: `LADING_SECRET_KEY is not set, and ${resolve('data')} holds the key`,
    },
  })
})

test('database and blobs follow the data folder, wherever that was set', () => {
  const settings = load({ environment: { dataDir: '/srv/$&/lading' } })
  assert.equal(settings.database, 'sqlite:/srv/$&/lading/lading.db')
  assert.equal(settings.blobs.path, '/srv/$&/lading/blobs')
})

test('what the start opens is known by who gave it, without secrets', () => {
  const { origins } = load({
    flags: { dataDir: '/srv/lading', listen: ':80' },
    environment: { database: 'postgres://me:hush@h/d?options=hush' },
  })
  assert.deepEqual(origins, {
    listen: '--listen is ":80"',
    database: 'LADING_DATABASE is "postgres://…@h/d?…"',
    blobs: 'LADING_BLOBS is "file:/srv/lading/blobs" by --data-dir',
    secretKey: 'LADING_SECRET_KEY is not set, and /srv/lading holds the key',
  })
})

test('a listening address has a URL for clients on this machine', () => {
  const urlOf = (listen: string) => listeningUrl(load({ flags: { listen } }).listen, 'http')
  assert.equal(urlOf('[::1]:5100'), 'http://[::1]:5100')
  assert.equal(urlOf('registry.local:80'), 'http://registry.local')
  assert.equal(urlOf(':5100'), 'http://localhost:5100')
  assert.equal(urlOf('0.0.0.0:5100'), 'http://localhost:5100')
  assert.equal(urlOf('[::]:5100'), 'http://localhost:5100')
  assert.equal(listeningUrl({ host: '', port: 5100 }, 'https'), 'https://localhost:5100')
})

test('settings cannot be changed', () => {
  const settings = load({ flags: rootKey })
  assert.ok(Object.isFrozen(settings) && Object.isFrozen(settings.rootKey))
})

test('an empty variable and an empty file value count as not set', () => {
  assert.equal(load({ environment: { region: '' }, file: { region: 'c-1' } }).region, 'c-1')
  assert.equal(load({ file: { domain: '' } }).domain, undefined)
})

test('the file may hold YAML without quotes, digits and empty values', () => {
  const config = join(folder, 'plain.yaml')
  writeFileSync(config, '# settings\naccount: 012345678901\naccessKeyLogin: on\nworkers: 2\ndomain:\n')
  const settings = loadSettings({ flags: {}, environment: { LADING_CONFIG: config } })
  assert.equal(settings.account, '012345678901')
  assert.equal(settings.accessKeyLogin, true)
  assert.equal(settings.workers, 2)
  assert.equal(settings.domain, undefined)
})

test("a Kubernetes service's variables are not taken for settings", () => {
  const environment = {
    LADING_SERVICE_HOST: '10.0.0.1',
    LADING_SERVICE_PORT: '5100',
    LADING_SERVICE_PORT_HTTP: '5100',
    LADING_PORT: 'tcp://10.0.0.1:5100',
    LADING_PORT_5100_TCP: 'tcp://10.0.0.1:5100',
    LADING_PORT_5100_TCP_ADDR: '10.0.0.1',
  }
  assert.equal(loadSettings({ flags: {}, environment }).listen.port, 5100)
})

/** The one line that these sources stop with. */
function errorOf(sources: SettingsSources): string {
  try {
    loadSettings(sources)
  } catch (error) {
    assert.ok(error instanceof SettingError)
    assert.ok(!error.message.includes('\n'))
    return error.message
  }
  return assert.fail('loaded')
}

const badFlags: readonly (readonly [SettingKey, string, string])[] = [
  ['listen', '5100', '--listen is "5100": expected host:port, such as 127.0.0.1:5100, [::1]:5100 or :5100'],
  ['listen', '127.0.0.1:65536', '--listen is "127.0.0.1:65536": expected host:port'],
  ['listen', '::1:5100', '--listen is "::1:5100": expected host:port'],
  ['listen', '999.1.1.1:80', '--listen is "999.1.1.1:80": expected host:port'],
  ['listen', '%zz:1', '--listen is "%zz:1": expected host:port'],
  ['listen', '[:::]:1', '--listen is "[:::]:1": expected host:port'],
  ['dataDir', '', '--data-dir is "": expected a folder'],
  ['database', 'mysql://h/d', '--database is "mysql://h/d": expected sqlite:<path> or postgres://'],
  ['database', 'postgre://me:pass@word@h/d?x=secret', '--database is "postgre://…@h/d?…": expected'],
  ['database', 'postgres://me:pass/word@h/d', '--database is "postgres://…": expected sqlite:<path> or postgres://'],
  ['database', 'postgres://me:pass#word@h/d', '--database is "postgres://…": expected sqlite:<path> or postgres://'],
  ['database', 'postgres://me:1?word@h/d', '--database is "postgres://…": expected sqlite:<path> or postgres://'],
  ['database', 'postgres://me:hush', '--database is "postgres://…": expected sqlite:<path> or postgres://'],
  ['database', 'host=h user=me password=hush', '--database has a value that is not shown: expected sqlite:<path> or'],
  ['database', 'me:hush@h/d', '--database has a value that is not shown: expected sqlite:<path> or postgres://'],
  ['database', 'sqlite:', '--database is "sqlite:": expected sqlite:<path>'],
  ['blobs', '/srv/blobs', '--blobs is "/srv/blobs": expected file:<path>'],
  ['blobs', 's3://me:hush@b/p?key=hush', '--blobs is "s3://…@b/p?…": expected file:<path>'],
  ['blobs', 's3://bucket/prefix', '--blobs is "s3://bucket/prefix": expected file:<path>; this version keeps blobs in'],
  ['account', '1234', '--account is "1234": expected an AWS account of twelve digits'],
  ['region', 'US', '--region is "US": expected a region, such as us-east-1'],
  ['rootAccessKeyId', 'ab', '--root-access-key-id has a value that is not shown: expected 3 to 128 letters'],
  ['secretKey', 'hush', '--secret-key has a value that is not shown: expected 32 bytes in base64'],
  ['rootSecretAccessKey', 'hush', '--root-secret-access-key has a value that is not shown: expected 8 to 128'],
  ['domain', 'https://x', '--domain is "https://x": expected a domain without scheme or port'],
  ['mirrors', 'hub', '--mirrors is "hub": expected <label>=<account>/<region>/<prefix of a cache, or ROOT>'],
  ['mirrors', 'a.b=000000000000/us-east-1/x', '--mirrors is "a.b=000000000000/us-east-1/x": expected <label>='],
  ['mirrors', 'hub=0/us-east-1/x', '--mirrors is "hub=0/us-east-1/x": expected <label>='],
  ['mirrors', 'hub=000000000000/us-east-1/', '--mirrors is "hub=000000000000/us-east-1/": expected <label>='],
  [
    'mirrors',
    'hub=000000000000/us-east-1/x,hub=000000000000/us-east-1/y',
    '--mirrors is "hub=000000000000/us-east-1/x,hub=000000000000/us-east-1/y": expected <label>=',
  ],
  [
    'mirrors',
    'hub=000000000000/us-east-1/x',
    '--mirrors is "hub=000000000000/us-east-1/x": expected LADING_DOMAIN beside it',
  ],
  ['anonymousPull', '10.0.0.0/33', '--anonymous-pull is "10.0.0.0/33": expected addresses or CIDR ranges'],
  ['publicUrl', 'https://x/path', '--public-url is "https://x/path": expected http(s)://host[:port] without a path'],
  ['publicUrl', 'ftp://x', '--public-url is "ftp://x": expected http(s)://host'],
  ['trustedProxies', 'proxy', '--trusted-proxies is "proxy": expected addresses or CIDR ranges'],
  ['trustedProxies', '10.0.0.0/33', '--trusted-proxies is "10.0.0.0/33": expected addresses or CIDR ranges'],
  ['trustedProxies', '0.0.0.0/0', '--trusted-proxies is "0.0.0.0/0": expected addresses or CIDR ranges'],
  ['trustedProxies', '10.0.0.1,', '--trusted-proxies is "10.0.0.1,": expected addresses or CIDR ranges'],
  ['accessKeyLogin', 'yes', '--access-key-login is "yes": expected on or off'],
  ['accessKeyLogin', 'constructor', '--access-key-login is "constructor": expected on or off'],
  ['workers', '0', '--workers is "0": expected a whole number from 1 to 64'],
  ['workers', '65', '--workers is "65": expected a whole number from 1 to 64'],
  ['connectionsPerAddress', '0', '--connections-per-address is "0": expected a whole number from 1 to 999999'],
  ['foreignBlobs', 'yes', '--foreign-blobs is "yes": expected allow or forbid'],
  ['upstreams', 'a.example/x', '--upstreams is "a.example/x": expected none, or host[:port][=url]'],
  ['upstreams', 'a.example=https://me:secret@b.example', '--upstreams has a value that is not shown: expected none'],
  ['webhookHosts', 'https://a.example', '--webhook-hosts is "https://a.example": expected host[:port], several'],
  ['webhookHosts', 'a.example,a.example', '--webhook-hosts is "a.example,a.example": expected host[:port]'],
  ['peers', '/nowhere.yaml', '--peers is "/nowhere.yaml": expected a readable file (ENOENT)'],
  ['oidcPrivateHosts', 'no', '--oidc-private-hosts is "no": expected allow or forbid'],
  [
    'quotas',
    'Images=5',
    '--quotas is "Images=5": expected <name>=<count>, several separated by commas, of the names repositories, images, ',
  ],
  ['scrubMibPerSecond', '-1', '--scrub-mib-per-second is "-1": expected a whole number of MiB a second from 0 to 9999'],
  ['gcGraceHours', '0', '--gc-grace-hours is "0": expected a whole number of hours from 1 to 8760'],
  ['auditDays', '-1', '--audit-days is "-1": expected a whole number of days from 0 to 3650'],
  ['quotas', 'images=5,images=6', '--quotas is "images=5,images=6": expected <name>=<count>'],
  ['quotas', 'images=-1', '--quotas is "images=-1": expected <name>=<count>'],
  ['quotas', 'images=5,', '--quotas is "images=5,": expected <name>=<count>'],
  ['quotas', 'toString=5', '--quotas is "toString=5": expected <name>=<count>'],
  ['workers', 'two\nlines', '--workers is "two\\nlines": expected a whole number'],
  ['tlsCert', '/nowhere.pem', '--tls-cert is "/nowhere.pem": expected a readable PEM file'],
  ['tlsKey', '/', '--tls-key is "/": expected a readable PEM file'],
  ['log', 'loud', '--log is "loud": expected one of trace, debug, info, warn, error, fatal, silent'],
]

for (const [key, text, line] of badFlags) {
  test(`stops with: ${line}`, () => {
    const message = errorOf({ flags: { [key]: text }, environment: {} })
    assert.equal(message.slice(0, line.length), line)
  })
}

test('a bad value is named as it was set: variable or file', () => {
  assert.match(errorOf({ flags: {}, environment: { LADING_WORKERS: 'x' } }), /^LADING_WORKERS is "x": expected/)
  const config = join(folder, 'bad.yaml')
  writeFileSync(config, 'workers: x')
  assert.equal(
    errorOf({ flags: { config }, environment: {} }),
    `workers in ${config} is "x": expected a whole number from 1 to 64`,
  )
})

test('an unknown variable or key stops the start, and its value is not shown', () => {
  assert.match(
    errorOf({ flags: {}, environment: { LADING_ROOT_SECRET: 'hush' } }),
    /^LADING_ROOT_SECRET is no setting: expected one of LADING_CONFIG, LADING_LISTEN, (?!.*hush)/,
  )
  assert.match(errorOf({ flags: {}, environment: { LADING_PORT: '5100' } }), /^LADING_PORT is no setting/)
  const config = join(folder, 'unknown.yaml')
  const withContent = (content: string) => {
    writeFileSync(config, content)
    return errorOf({ flags: { config }, environment: {} })
  }
  const line = /^"root_secret…?" in .* is no setting: expected one of listen, dataDir, (?!.*hush)/
  assert.match(withContent('root_secret: hush'), line)
  assert.match(withContent('{root_secret:hush}'), line)
})

test('a file that is missing, no YAML or no mapping stops the start', () => {
  const config = join(folder, 'odd.yaml')
  const withContent = (content: string) => {
    writeFileSync(config, content)
    return errorOf({ flags: { config }, environment: {} })
  }
  assert.match(withContent('region: a-1\nregion: b-1\n'), /odd\.yaml, line 2: expected YAML \(DUPLICATE_KEY\)$/)
  assert.match(withContent('- listen\n'), /odd\.yaml: expected a mapping of settings$/)
  assert.match(withContent('listen: [a, b]\n'), /^listen in .*odd\.yaml is a list or a mapping: expected one value$/)
  assert.match(
    withContent('rootSecretAccessKey: *hush\n'),
    /odd\.yaml: expected YAML in which each alias has its anchor$/,
  )
  const missing = join(folder, 'missing.yaml')
  assert.match(
    errorOf({ flags: {}, environment: { LADING_CONFIG: missing } }),
    /^LADING_CONFIG is ".*missing\.yaml": expected a readable file \(ENOENT\)$/,
  )
})

test('half a root key or half of TLS stops the start', () => {
  assert.equal(
    errorOf({ flags: { rootAccessKeyId: rootKey.rootAccessKeyId }, environment: {} }),
    '--root-access-key-id is set without LADING_ROOT_SECRET_ACCESS_KEY: expected both or neither',
  )
  assert.equal(
    errorOf({ flags: {}, environment: { LADING_TLS_KEY: tls.tlsKey } }),
    'LADING_TLS_KEY is set without LADING_TLS_CERT: expected both or neither',
  )
})

test('a key that is not that of the certificate stops the start', () => {
  assert.match(
    errorOf({ flags: { ...tls, tlsKey: tls.tlsCert }, environment: {} }),
    /^--tls-key is ".*": expected the private key of --tls-cert$/,
  )
})

test('a certificate that is none is blamed, not its key', () => {
  const garbage = join(folder, 'garbage.pem')
  writeFileSync(garbage, '-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n')
  assert.match(
    errorOf({ flags: { ...tls, tlsCert: garbage }, environment: {} }),
    /^--tls-cert is ".*garbage\.pem": expected a certificate in PEM$/,
  )
})
