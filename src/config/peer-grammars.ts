// What the values of a peer's keys may be.

import { isAccountId } from '#names/account.ts'
import { isRegion } from '#names/region.ts'
import { isRepositoryName } from '#names/repository-name.ts'
import { accountOfRole } from '#names/role-arn.ts'
import { fileIn, type PeerKeyGrammar } from './peer-keys.ts'
import { showNothing, showUrl } from './shown.ts'
import { parseAccessKeyId, parsePublicUrl, parseSecretAccessKey } from './values.ts'

const kinds = ['lading', 'ecr', 'registry'] as const

export const peerGrammars = {
  name: {
    parse: (text: string) => (/^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/.test(text) ? text : undefined),
    expected: 'lower-case letters, digits, dots, dashes and underscores',
  },
  kind: {
    parse: (text: string) => kinds.find((kind) => kind === text),
    expected: `one of ${kinds.join(', ')}`,
  },
  account: {
    parse: (text: string) => (isAccountId(text) ? text : undefined),
    expected: 'an AWS account of twelve digits',
  },
  region: {
    parse: (text: string) => (isRegion(text) ? text : undefined),
    expected: 'a region, such as eu-central-1',
  },
  url: {
    parse: parsePeerUrl,
    expected: 'an http or https URL without user, query and fragment, such as https://registry.example.com',
    show: showUrl,
  },
  origin: {
    parse: parsePublicUrl,
    expected: 'http(s)://host[:port] without a path, such as https://auth.example.com',
    show: showUrl,
  },
  accessKeyId: {
    parse: parseAccessKeyId,
    expected: '3 to 128 letters, digits or underscores',
    // The secret may stand here by mistake.
    show: showNothing,
  },
  secretAccessKey: { parse: parseSecretAccessKey, expected: '8 to 128 printable characters without spaces' },
  roleArn: {
    parse: (text: string) => (accountOfRole(text) === undefined ? undefined : text),
    expected: 'the ARN of a role, such as arn:aws:iam::111111111111:role/replication',
  },
  username: {
    // The user name of HTTP's Basic scheme ends at the first colon (RFC 7617 section 2).
    parse: (text: string) => (/^[^:\p{Cc}]{1,255}$/u.test(text) ? text : undefined),
    expected: 'a user name without a colon',
  },
  password: {
    parse: (text: string) => (/^\P{Cc}{1,10000}$/u.test(text) ? text : undefined),
    expected: 'a password on one line',
  },
  prefix: {
    parse: (text: string) => (isPrefix(text) ? text : undefined),
    expected: 'the start of a repository name without a slash at its end, such as copies/{account}',
  },
  bandwidth: { parse: parseBandwidth, expected: 'bytes a second, such as 500KiB, 50MiB or 1GiB' },
  hours: { parse: parseHours, expected: 'the start and the end of a part of each day, such as 20:00-06:00' },
  timeZone: {
    parse: (text: string) => (isTimeZone(text) ? text : undefined),
    expected: 'the name of a time zone, such as Europe/Berlin',
  },
} as const satisfies Record<string, PeerKeyGrammar<unknown>>

export function certificateIn(folder: string): PeerKeyGrammar<string> {
  return {
    expected: 'a readable PEM file',
    parse(path) {
      const text = fileIn(folder).parse(path)
      return text?.includes('-----BEGIN CERTIFICATE-----') ? text : undefined
    },
  }
}

/** Without a slash at its end. Placeholders stay as they are. */
function parsePeerUrl(text: string): string | undefined {
  const example = filled(text)
  const url = /^https?:\/\//i.test(text) ? URL.parse(example) : null
  if (url === null || example.includes('{') || /[?#@\s]/.test(text)) return undefined
  return text.replace(/\/+$/, '')
}

function isPrefix(text: string): boolean {
  return isRepositoryName(filled(text))
}

/** With an account and a region for the placeholders. */
function filled(text: string): string {
  return text.replaceAll('{account}', '000000000000').replaceAll('{region}', 'us-east-1')
}

const units = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }

function parseBandwidth(text: string): number | undefined {
  const [, digits, unit] = /^([1-9]\d{0,5})(KiB|MiB|GiB)$/.exec(text) ?? []
  // The expression admits no other unit.
  return digits === undefined ? undefined : Number(digits) * units[unit as keyof typeof units]
}

function parseHours(text: string): { start: number; end: number } | undefined {
  const [, from, to] = /^(\d\d:\d\d)-(\d\d:\d\d)$/.exec(text) ?? []
  const [start, end] = [minuteOf(from), minuteOf(to)]
  if (start === undefined || end === undefined || start === end || start === wholeDay) return undefined
  return { start, end }
}

const wholeDay = 24 * 60

/** `24:00` is the end of a day. */
function minuteOf(text = ''): number | undefined {
  const [hour = Number.NaN, minute = Number.NaN] = text.split(':').map(Number)
  const result = hour * 60 + minute
  return minute < 60 && result <= wholeDay ? result : undefined
}

function isTimeZone(text: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text })
    return true
  } catch {
    return false
  }
}
