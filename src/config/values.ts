// The grammar of each kind of value. A parser takes the text as a person wrote it and gives the value, or undefined
// where it does not fit; the table beside it says in words what would have.

import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { type Mirror, parseMirror } from '#names/mirror.ts'

/** Where the server listens. An empty `host` is every address of the machine; port 0 lets the system choose. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** Where blobs are kept: an absolute folder. */
export interface BlobsLocation {
  readonly kind: 'file'
  readonly path: string
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

export type LogLevel = (typeof logLevels)[number]

export type Permission = 'allow' | 'forbid'

/** `host:port`, `[IPv6 address]:port` or `:port`. */
export function parseListen(text: string): ListenAddress | undefined {
  const [, address, host = address, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/@]*)):([0-9]{1,5})$/.exec(text) ?? []
  if (host === undefined || Number(port) > 65535) return undefined
  // Clients reach it by a URL, which admits no 999.1.1.1.
  if (host !== '' && !URL.canParse(`http://${address ? `[${host}]` : host}`)) return undefined
  return { host, port: Number(port) }
}

export function parsePath(text: string): string | undefined {
  return text === '' || text.includes('\0') ? undefined : resolve(text)
}

/** `sqlite:<path>`, made absolute, or a PostgreSQL URL as it is, unless a password that is not encoded breaks it in two. */
export function parseDatabase(text: string): string | undefined {
  if (text.startsWith('sqlite:')) {
    const path = parsePath(text.slice('sqlite:'.length))
    return path && `sqlite:${path}`
  }
  return /^postgres(?:ql)?:\/\/(?:[^/?#]*@)?[^@#]*$/.test(text) && URL.canParse(text) ? text : undefined
}

export function parseBlobs(text: string): BlobsLocation | undefined {
  const path = text.startsWith('file:') ? parsePath(text.slice('file:'.length)) : undefined
  return path === undefined ? undefined : { kind: 'file', path }
}

/** Word characters, as IAM's `accessKeyIdType` has it, though that begins at 16: people choose short ones for tests. */
export function parseAccessKeyId(text: string): string | undefined {
  return /^\w{3,128}$/.test(text) ? text : undefined
}

/** Printable ASCII without spaces. The lower bound is ours: it signs as HMAC key and must not be guessed. */
export function parseSecretAccessKey(text: string): string | undefined {
  return /^[!-~]{8,128}$/.test(text) ? text : undefined
}

/** A host name (RFC 1123) without a port. */
export function parseDomain(text: string): string | undefined {
  const name = text.toLowerCase()
  const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
  return name.length <= 253 && new RegExp(`^${label}(?:\\.${label})*$`).test(name) ? name : undefined
}

/** An http or https URL of scheme, host and port alone; given back without a slash at its end. */
export function parsePublicUrl(text: string): string | undefined {
  const url = URL.parse(text)
  if (!url || !/^https?:\/\//i.test(text)) return undefined
  return url.href === `${url.origin}/` ? url.origin : undefined
}

/** Addresses and CIDR ranges, several separated by commas. A range of everybody is refused: it would believe any client. */
export function parseTrustedProxies(text: string): readonly string[] | undefined {
  return parseRanges(text, 1)
}

/** As trusted proxies, and `0.0.0.0/0` and `::/0` too. */
export function parseNetworks(text: string): readonly string[] | undefined {
  return parseRanges(text, 0)
}

function parseRanges(text: string, shortestPrefix: number): readonly string[] | undefined {
  const entries = text.split(',').map((entry) => entry.trim())
  return entries.every((entry) => isAddressRange(entry, shortestPrefix)) ? entries : undefined
}

function isAddressRange(text: string, shortestPrefix: number): boolean {
  const [, address = '', prefix] = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? []
  const width = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0
  return width > 0 && (prefix === undefined || (Number(prefix) >= shortestPrefix && Number(prefix) <= width))
}

/** `label=account/region/prefix`, several separated by commas. */
export function parseMirrors(text: string): readonly Mirror[] | undefined {
  const mirrors = text.split(',').map((entry) => parseMirror(entry.trim()))
  const labels = new Set(mirrors.map((mirror) => mirror?.label))
  const parsed = mirrors.filter((mirror) => mirror !== undefined)
  return parsed.length === mirrors.length && labels.size === mirrors.length ? parsed : undefined
}

export function parseWorkers(text: string): number | undefined {
  const count = /^[0-9]{1,2}$/.test(text) ? Number(text) : 0
  return count >= 1 && count <= 64 ? count : undefined
}

export function parseConnections(text: string): number | undefined {
  const count = /^[0-9]{1,6}$/.test(text) ? Number(text) : 0
  return count >= 1 ? count : undefined
}

export function parseDays(text: string): number | undefined {
  const days = /^[0-9]{1,4}$/.test(text) ? Number(text) : Number.NaN
  return days <= 3_650 ? days : undefined
}

export function parseHours(text: string): number | undefined {
  const hours = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0
  return hours >= 1 && hours <= 8_760 ? hours : undefined
}

export function parseRequestsPerSecond(text: string): number | undefined {
  const count = /^[0-9]{1,6}$/.test(text) ? Number(text) : Number.NaN
  return count <= 100_000 ? count : undefined
}

export function parseMib(text: string): number | undefined {
  return /^[0-9]{1,8}$/.test(text) ? Number(text) : undefined
}

export function parseMibPerSecond(text: string): number | undefined {
  return /^[0-9]{1,4}$/.test(text) ? Number(text) : undefined
}

/** The text of a PEM file. */
export function parsePemFile(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'utf8')
    return text.includes('-----BEGIN ') ? text : undefined
  } catch {
    // Missing, a folder, or not ours to read: all three are a bad value of the setting.
    return undefined
  }
}

export function parsePermission(text: string): Permission | undefined {
  return text === 'allow' || text === 'forbid' ? text : undefined
}

export function parseSwitch(text: string): boolean | undefined {
  return text === 'on' ? true : text === 'off' ? false : undefined
}

export function parseLogLevel(text: string): LogLevel | undefined {
  return logLevels.find((level) => level === text)
}

/** 32 bytes in base64. */
export function parseSecretKey(text: string): Buffer | undefined {
  const key = Buffer.from(text, 'base64')
  return /^[\w+/-]{43}=?$/.test(text) && key.byteLength === 32 ? key : undefined
}
