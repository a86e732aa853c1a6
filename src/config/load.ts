// Turns flags, environment and file into one typed, frozen object. A flag wins over the environment, which wins over
// the file; whatever is unknown or does not parse stops the start with one line.

import { createSecureContext, type SecureContextOptions } from 'node:tls'
import type { Peer } from '#names/peer.ts'
import { readSettingsFile } from './file.ts'
import { environmentName, flagName } from './names.ts'
import { readPeers } from './peers.ts'
import { ecrQuotas } from './quotas.ts'
import { SettingError } from './setting-error.ts'
import type { Settings } from './settings.ts'
import { showText } from './shown.ts'
import { type SettingKey, type SettingValues, settingKeys, settingsTable } from './table.ts'

export interface SettingsSources {
  /** By setting key, as the command line gave them; `config` names the file. */
  readonly flags: Readonly<Partial<Record<SettingKey | 'config', string>>>
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** A setting's text and the name under which somebody gave it. */
interface Given {
  readonly name: string
  readonly text: string
}

const defaultFile = './lading.yaml'

const inDataDir = '<data dir>'

/**
 * Paths are relative to the working folder, wherever they are set, and become absolute. An empty environment variable
 * or file value counts as not set, so that `LADING_DOMAIN=${DOMAIN}` works where DOMAIN is missing.
 *
 * @throws SettingError
 */
export function loadSettings({ flags, environment }: SettingsSources): Settings {
  rejectUnknownEnvironment(environment)
  const named = flags.config ?? (environment.LADING_CONFIG || undefined)
  const path = named ?? defaultFile
  const name = flags.config === undefined ? 'LADING_CONFIG' : flagName('config')
  const file = readSettingsFile(path, { name, required: named !== undefined })
  rejectUnknownKeys(path, file)

  const given = new Map<SettingKey, Given>()
  for (const key of settingKeys) {
    const fromFlag = flags[key]
    const fromEnvironment = environment[environmentName(key)]
    const fromFile = file.get(key)
    if (fromFlag !== undefined) given.set(key, { name: flagName(key), text: fromFlag })
    else if (fromEnvironment) given.set(key, { name: environmentName(key), text: fromEnvironment })
    else if (fromFile) given.set(key, { name: `${key} in ${path}`, text: fromFile })
  }
  return buildSettings(given, environment)
}

function buildSettings(given: ReadonlyMap<SettingKey, Given>, environment: SettingsSources['environment']): Settings {
  const dataDir = withFallback('dataDir', given, '')
  const listen = withFallback('listen', given, dataDir)
  const rootKey = rootKeyOf(given)
  const tls = tlsOf(given)
  return Object.freeze({
    listen,
    dataDir,
    database: withFallback('database', given, dataDir),
    blobs: withFallback('blobs', given, dataDir),
    foreignBlobs: withFallback('foreignBlobs', given, dataDir),
    account: withFallback('account', given, dataDir),
    region: withFallback('region', given, dataDir),
    rootKey,
    secretKey: parse('secretKey', given),
    domain: parse('domain', given),
    mirrors: mirrorsOf(given),
    anonymousPull: parse('anonymousPull', given) ?? [],
    publicUrl: parse('publicUrl', given),
    trustedProxies: parse('trustedProxies', given) ?? [],
    accessKeyLogin: withFallback('accessKeyLogin', given, dataDir),
    workers: withFallback('workers', given, dataDir),
    connectionsPerAddress: parse('connectionsPerAddress', given) ?? Number.POSITIVE_INFINITY,
    oidcPrivateHosts: withFallback('oidcPrivateHosts', given, dataDir),
    upstreams: parse('upstreams', given) ?? [],
    peers: peersOf(given, environment),
    webhookHosts: parse('webhookHosts', given) ?? [],
    quotas: parse('quotas', given) ?? ecrQuotas,
    requestsPerSecond: withFallback('requestsPerSecond', given, dataDir),
    auditDays: withFallback('auditDays', given, dataDir),
    auditMaxMib: withFallback('auditMaxMib', given, dataDir),
    gcGraceHours: withFallback('gcGraceHours', given, dataDir),
    uploadExpiryHours: withFallback('uploadExpiryHours', given, dataDir),
    scrubMibPerSecond: withFallback('scrubMibPerSecond', given, dataDir),
    tls,
    log: withFallback('log', given, dataDir),
    origins: Object.freeze({
      listen: originWithFallback('listen', given, dataDir),
      database: originWithFallback('database', given, dataDir),
      blobs: originWithFallback('blobs', given, dataDir),
      secretKey: secretKeyOrigin(given, dataDir),
    }),
  })
}

function parse<Key extends SettingKey>(
  key: Key,
  given: ReadonlyMap<SettingKey, Given>,
): SettingValues[Key] | undefined {
  const found = given.get(key)
  if (!found) return undefined
  const setting = settingsTable[key]
  const value = setting.parse(found.text)
  if (value === undefined) {
    throw new SettingError(`${originOf(key, found)}: expected ${setting.expected}`)
  }
  return value
}

/** Who gave a value and which, as an error begins. */
function originOf(key: SettingKey, { name, text }: Given): string {
  const { show = showText } = settingsTable[key]
  const shown = show(text)
  return shown === undefined ? `${name} has a value that is not shown` : `${name} is ${shown}`
}

function withFallback<Key extends SettingKey>(
  key: Key,
  given: ReadonlyMap<SettingKey, Given>,
  dataDir: string,
): SettingValues[Key] {
  const value = parse(key, given)
  if (value !== undefined) return value
  const parsed = settingsTable[key].parse(fallbackOf(key, dataDir))
  if (parsed === undefined) throw new Error(`the default of ${key} does not parse`)
  return parsed
}

function fallbackOf(key: SettingKey, dataDir: string): string {
  return (settingsTable[key].fallback ?? '').replace(inDataDir, () => dataDir)
}

/** As `originOf`; a default is put down to the data folder that it lies in, if that was given. */
function originWithFallback(key: SettingKey, given: ReadonlyMap<SettingKey, Given>, dataDir: string): string {
  const found = given.get(key)
  if (found) return originOf(key, found)
  const folder = settingsTable[key].fallback?.includes(inDataDir) ? given.get('dataDir') : undefined
  const origin = originOf(key, { name: environmentName(key), text: fallbackOf(key, dataDir) })
  return `${origin} by ${folder ? folder.name : 'default'}`
}

function secretKeyOrigin(given: ReadonlyMap<SettingKey, Given>, dataDir: string): string {
  const found = given.get('secretKey')
  return found === undefined
    ? `${environmentName('secretKey')} is not set, and ${dataDir} holds the key`
    : originOf('secretKey', found)
}

function rootKeyOf(given: ReadonlyMap<SettingKey, Given>): Settings['rootKey'] {
  const accessKeyId = parse('rootAccessKeyId', given)
  const secretAccessKey = parse('rootSecretAccessKey', given)
  requireBoth('rootAccessKeyId', 'rootSecretAccessKey', given)
  return accessKeyId && secretAccessKey ? Object.freeze({ accessKeyId, secretAccessKey }) : undefined
}

function mirrorsOf(given: ReadonlyMap<SettingKey, Given>): Settings['mirrors'] {
  const mirrors = parse('mirrors', given) ?? []
  const found = given.get('mirrors')
  if (found !== undefined && !given.has('domain')) {
    throw new SettingError(
      `${originOf('mirrors', found)}: expected ${environmentName('domain')} beside it, below which they are`,
    )
  }
  return mirrors
}

function peersOf(given: ReadonlyMap<SettingKey, Given>, environment: SettingsSources['environment']): readonly Peer[] {
  const path = parse('peers', given)
  return path === undefined ? [] : readPeers({ path, name: given.get('peers')?.name ?? '', environment })
}

function tlsOf(given: ReadonlyMap<SettingKey, Given>): Settings['tls'] {
  const cert = parse('tlsCert', given)
  const key = parse('tlsKey', given)
  const [givenCert, givenKey] = [given.get('tlsCert'), given.get('tlsKey')]
  requireBoth('tlsCert', 'tlsKey', given)
  if (!cert || !key || !givenCert || !givenKey) return undefined
  requireSecureContext({ cert }, originOf('tlsCert', givenCert), 'a certificate in PEM')
  requireSecureContext({ cert, key }, originOf('tlsKey', givenKey), `the private key of ${givenCert.name}`)
  return Object.freeze({ cert, key })
}

function requireSecureContext(options: SecureContextOptions, origin: string, expected: string): void {
  try {
    createSecureContext(options)
  } catch (cause) {
    throw new SettingError(`${origin}: expected ${expected}`, { cause })
  }
}

function requireBoth(one: SettingKey, other: SettingKey, given: ReadonlyMap<SettingKey, Given>): void {
  const [present, missing] = given.has(one) ? [one, other] : [other, one]
  const found = given.get(present)
  if (!found || given.has(missing)) return
  throw new SettingError(`${found.name} is set without ${environmentName(missing)}: expected both or neither`)
}

function rejectUnknownEnvironment(environment: SettingsSources['environment']): void {
  const known = new Set(['LADING_CONFIG', ...settingKeys.map(environmentName)])
  for (const [name, value = ''] of Object.entries(environment)) {
    if (!name.startsWith('LADING_') || known.has(name) || isServiceLink(name, value)) continue
    throw new SettingError(`${name} is no setting: expected one of ${[...known].join(', ')}`)
  }
}

/**
 * Kubernetes gives every pod variables for each service: `LADING_SERVICE_HOST`, `LADING_PORT=tcp://10.0.0.1:5100` and
 * so on where a service is named `lading` (Kubernetes, "Service", "Environment variables"). They are no settings.
 */
function isServiceLink(name: string, value: string): boolean {
  if (/_SERVICE_(?:HOST|PORT)(?:_\w+)?$/.test(name)) return true
  if (/_PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?$/.test(name)) return true
  return name.endsWith('_PORT') && /^(?:tcp|udp|sctp):\/\//.test(value)
}

function rejectUnknownKeys(path: string, file: ReadonlyMap<string, string>): void {
  for (const key of file.keys()) {
    if (Object.hasOwn(settingsTable, key)) continue
    // In YAML `key:secret` without a space is a key as a whole.
    const shown = showText(key.replace(/[^\w-].*$/s, '…'))
    throw new SettingError(`${shown} in ${path} is no setting: expected one of ${settingKeys.join(', ')}`)
  }
}
