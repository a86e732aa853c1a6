import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { readPeers } from '#config/peers.ts'
import { SettingError } from '#config/setting-error.ts'
import { selfSigned } from '#test/fixtures/tls/pair.ts'

let folder: string
let path: string
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'lading-peers-'))
  path = join(folder, 'peers.yaml')
})
after(() => rmSync(folder, { recursive: true }))

const environment = { MIRROR_PASSWORD: 'from the environment', EMPTY: '' }

function read(text: string) {
  writeFileSync(path, text)
  return readPeers({ path, name: 'LADING_PEERS', environment })
}

test('peers of each kind are read with all their keys', () => {
  mkdirSync(join(folder, 'secrets'), { recursive: true })
  writeFileSync(join(folder, 'secrets/frankfurt'), 'wJalrXUtnFEMI/K7MDENG\n')
  const peers = read(`
peers:
  - name: frankfurt
    kind: lading
    url: https://{account}.dkr.ecr.{region}.registry.example.com/
    registries: [{ account: "111111111111", region: eu-central-1 }, { account: 012345678901, region: eu-west-1 }]
    accessKeyId: AKIAIOSFODNN7EXAMPLE
    secretAccessKeyFile: secrets/frankfurt
    certificateFile: ${selfSigned.certFile}
    bandwidth: 50MiB
    hours: "20:00-06:00"
    timeZone: Europe/Berlin
  - name: aws
    kind: ecr
    registries: [{ account: 222222222222, region: us-east-1 }]
    roleArn: arn:aws:iam::222222222222:role/replication
  - name: mirror
    kind: registry
    url: http://10.0.0.7:5000/v2
    registries: [{ account: 333333333333, region: a-1 }, { account: 333333333333, region: a-2 }]
    username: pusher
    password: \${MIRROR_PASSWORD}
    prefix: copies/{region}
    tokenServer: https://auth.example.com
    hours: 00:30-24:00
`)
  assert.deepEqual(peers, [
    {
      name: 'frankfurt',
      kind: 'lading',
      url: 'https://{account}.dkr.ecr.{region}.registry.example.com',
      registries: [
        { account: '111111111111', region: 'eu-central-1' },
        { account: '012345678901', region: 'eu-west-1' },
      ],
      key: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG' },
      roleArn: undefined,
      certificates: [selfSigned.cert],
      bytesPerSecond: 50 * 2 ** 20,
      hours: { start: 1200, end: 360, timeZone: 'Europe/Berlin' },
    },
    {
      name: 'aws',
      kind: 'ecr',
      url: undefined,
      registries: [{ account: '222222222222', region: 'us-east-1' }],
      key: undefined,
      roleArn: 'arn:aws:iam::222222222222:role/replication',
      certificates: [],
      bytesPerSecond: undefined,
      hours: undefined,
    },
    {
      name: 'mirror',
      kind: 'registry',
      url: 'http://10.0.0.7:5000/v2',
      registries: [
        { account: '333333333333', region: 'a-1' },
        { account: '333333333333', region: 'a-2' },
      ],
      login: { username: 'pusher', password: 'from the environment' },
      prefix: 'copies/{region}',
      tokenServer: 'https://auth.example.com',
      certificates: [],
      bytesPerSecond: undefined,
      hours: { start: 30, end: 1440, timeZone: 'UTC' },
    },
  ])
})

const registries = 'registries: [{ account: 111111111111, region: a-1 }]'
const lading = `name: one, kind: lading, url: https://a.example, ${registries}`
const mirror = 'name: one, kind: registry, url: https://a.example'
const keyed = 'accessKeyId: AKIAIOSFODNN7EXAMPLE, secretAccessKey: hushhushhush'

const problems: readonly (readonly [peers: string, line: string])[] = [
  ['{}', 'peer 1: name is missing: expected lower-case letters, digits, dots, dashes and underscores'],
  ['one', 'peer 1: expected a mapping'],
  ['{ name: A B }', 'peer 1: name is "A B": expected lower-case letters'],
  ['{ name: one }', 'peer one: kind is missing: expected one of lading, ecr, registry'],
  ['{ name: one, kind: oci }', 'peer one: kind is "oci": expected one of lading, ecr, registry'],
  ['{ name: one, kind: ecr, user: hush }', 'peer one: "user" is no key: expected one of name, kind, registries, url,'],
  ['{ name: one, kind: ecr, prefix: x }', 'peer one: "prefix" is no key: expected one of'],
  ['{ name: one, kind: registry, accessKeyId: x }', 'peer one: "accessKeyId" is no key: expected one of'],
  [`{ ${mirror}, ${registries}, password:hush }`, 'peer one: "password…" is no key: expected one of'],
  ['{ name: one, kind: ecr }', 'peer one: registries: expected a list of at least one account and region'],
  ['{ name: one, kind: ecr, registries: [] }', 'peer one: registries: expected a list of at least one account'],
  ['{ name: one, kind: ecr, registries: [x] }', 'peer one: registries: entry 1: expected a mapping of account and'],
  [
    '{ name: one, kind: ecr, registries: [{ account: 1, region: a-1 }] }',
    'peer one: registries: entry 1: account is "1": expected an AWS account of twelve digits',
  ],
  [
    '{ name: one, kind: ecr, registries: [{ account: 111111111111, region: A }] }',
    'peer one: registries: entry 1: region is "A": expected a region, such as eu-central-1',
  ],
  [
    '{ name: one, kind: ecr, registries: [{ account: 111111111111, region: a-1, url: x }] }',
    'peer one: registries: entry 1: "url" is no key: expected one of account, region',
  ],
  [`{ ${lading} }`, 'peer one: accessKeyId and secretAccessKey are missing: expected both'],
  [
    `{ ${lading}, accessKeyId: AKIAIOSFODNN7EXAMPLE }`,
    'peer one: accessKeyId is set without secretAccessKey: expected',
  ],
  [`{ ${lading}, secretAccessKey: hushhushhush }`, 'peer one: secretAccessKey is set without accessKeyId: expected'],
  [
    `{ ${lading}, accessKeyId: hush/hush }`,
    'peer one: accessKeyId has a value that is not shown: expected 3 to 128 letters, digits or underscores',
  ],
  [
    `{ ${lading}, accessKeyId: AKIA, secretAccessKey: hush }`,
    'peer one: secretAccessKey has a value that is not shown: expected 8 to 128 printable characters',
  ],
  [
    `{ ${lading}, accessKeyId: AKIA, secretAccessKeyFile: ./missing }`,
    'peer one: secretAccessKeyFile is "./missing": expected a readable file',
  ],
  [
    `{ ${lading}, accessKeyId: AKIA, secretAccessKeyFile: ${selfSigned.certFile} }`,
    'peer one: the content of secretAccessKeyFile has a value that is not shown: expected 8 to 128 printable',
  ],
  [
    `{ ${lading}, ${keyed}, secretAccessKeyFile: ${selfSigned.certFile} }`,
    'peer one: secretAccessKey and secretAccessKeyFile are both set: expected one of them',
  ],
  [
    `{ ${lading}, accessKeyId: AKIA, secretAccessKey: "\${NO_SUCH}" }`,
    'peer one: secretAccessKey names the environment variable NO_SUCH: expected it to have a value',
  ],
  [
    `{ ${lading}, accessKeyId: AKIA, secretAccessKey: "\${EMPTY}" }`,
    'peer one: secretAccessKey names the environment variable EMPTY: expected it to have a value',
  ],
  [`{ ${lading}, ${keyed}, roleArn: role }`, 'peer one: roleArn is "role": expected the ARN of a role, such as'],
  [`{ ${lading}, ${keyed}, bandwidth: 50 }`, 'peer one: bandwidth is "50": expected bytes a second, such as 500KiB'],
  [`{ ${lading}, ${keyed}, bandwidth: 50MB }`, 'peer one: bandwidth is "50MB": expected bytes a second, such as'],
  [`{ ${lading}, ${keyed}, bandwidth: 0MiB }`, 'peer one: bandwidth is "0MiB": expected bytes a second, such as'],
  [`{ ${lading}, ${keyed}, bandwidth: [1MiB] }`, 'peer one: bandwidth is a list or a mapping: expected one value'],
  [`{ ${lading}, ${keyed}, hours: "20-06" }`, 'peer one: hours is "20-06": expected the start and the end of a part'],
  [`{ ${lading}, ${keyed}, hours: "20:00-20:00" }`, 'peer one: hours is "20:00-20:00": expected the start and the end'],
  [`{ ${lading}, ${keyed}, hours: "20:60-22:00" }`, 'peer one: hours is "20:60-22:00": expected the start and the end'],
  [`{ ${lading}, ${keyed}, hours: "24:00-06:00" }`, 'peer one: hours is "24:00-06:00": expected the start and the end'],
  [`{ ${lading}, ${keyed}, hours: "20:00-24:01" }`, 'peer one: hours is "20:00-24:01": expected the start and the end'],
  [
    `{ ${lading}, ${keyed}, hours: "20:00-06:00", timeZone: Mars/Base }`,
    'peer one: timeZone is "Mars/Base": expected the name of a time zone, such as Europe/Berlin',
  ],
  [`{ ${lading}, ${keyed}, timeZone: UTC }`, 'peer one: timeZone is set without hours: expected both'],
  [`{ ${lading}, ${keyed}, certificateFile: ./x }`, 'peer one: certificateFile is "./x": expected a readable PEM file'],
  [`{ ${lading}, ${keyed}, certificateFile: ${selfSigned.keyFile} }`, 'peer one: certificateFile is "'],
  [`{ name: one, kind: lading, ${registries}, ${keyed} }`, 'peer one: url is missing: expected an http or https URL'],
  [
    `{ name: one, kind: lading, url: ftp://a.example, ${registries}, ${keyed} }`,
    'peer one: url is "ftp://a.example": expected an http or https URL',
  ],
  [
    `{ name: one, kind: lading, url: "https://me:hush@a.example", ${registries}, ${keyed} }`,
    'peer one: url is "https://…@a.example": expected an http or https URL without user',
  ],
  [
    `{ name: one, kind: lading, url: "https://{acct}.a.example", ${registries}, ${keyed} }`,
    'peer one: url is "https://{acct}.a.example": expected an http or https URL',
  ],
  [
    `{ ${mirror}, ${registries}, username: "a:b" }`,
    'peer one: username is "a:b": expected a user name without a colon',
  ],
  [`{ ${mirror}, ${registries}, username: a }`, 'peer one: username is set without password: expected both or neither'],
  [`{ ${mirror}, ${registries}, prefix: Copies }`, 'peer one: prefix is "Copies": expected the start of a repository'],
  [
    `{ ${mirror}, ${registries}, prefix: copies/ }`,
    'peer one: prefix is "copies/": expected the start of a repository',
  ],
  [
    `{ ${mirror}, ${registries}, tokenServer: https://a.example/x }`,
    'peer one: tokenServer is "https://a.example/x": expected http(s)://host[:port] without a path',
  ],
  [
    `{ ${mirror}, prefix: "x/{account}", registries: [{ account: 111111111111, region: a-1 }, { account: 111111111111, region: a-2 }] }`,
    'peer one: registries has 2 entries: expected one, or a prefix with {region}',
  ],
  [
    `{ ${mirror}, registries: [{ account: 111111111111, region: a-1 }, { account: 222222222222, region: a-2 }] }`,
    'peer one: registries has 2 entries: expected one, or a prefix with {account} and {region}',
  ],
  [`{ ${lading}, ${keyed} }, { ${lading}, ${keyed} }`, 'two peers are named one: expected one of that name'],
  [
    `{ ${lading}, ${keyed} }, { name: two, kind: ecr, ${registries} }`,
    'peer two: the registry 111111111111/a-1 is that of peer one: expected one peer for each registry',
  ],
]

/** The one line that the file stops the start with. */
function errorOf(text: string): string {
  try {
    read(text)
  } catch (error) {
    assert.ok(error instanceof SettingError)
    assert.ok(!error.message.includes('\n'))
    return error.message
  }
  return assert.fail('read')
}

for (const [peers, line] of problems) {
  test(`stops with: ${line}`, () => {
    const message = errorOf(`peers: [${peers}]`)
    assert.equal(message.slice(0, message.indexOf(': ')), `LADING_PEERS is ${JSON.stringify(path)}`)
    assert.equal(message.slice(message.indexOf(': ') + 2).slice(0, line.length), line)
    assert.doesNotMatch(message, /hush/)
  })
}

for (const text of ['', 'one', '[]', 'peers: {}', 'peers:', 'peers: []\nmore: 1', 'name: one']) {
  test(`a file with ${JSON.stringify(text)} is no list of peers`, () => {
    assert.match(errorOf(text), /^LADING_PEERS is ".*peers\.yaml": expected a mapping with the one key peers, a list$/)
  })
}

test('a file that is no YAML stops the start with its line', () => {
  assert.match(
    errorOf('peers:\n  - name: one\n    name: two\n'),
    /peers\.yaml, line 3: expected YAML \(DUPLICATE_KEY\)$/,
  )
})
