import { CommandError } from '#commands/command.ts'

/** Durations and sizes as people write them, and as Lading's API takes them. */
const seconds: ReadonlyMap<string, number> = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3_600],
  ['d', 86_400],
])

/** Seconds; -1 for `never`. @throws CommandError */
export function readAge(text: string): number {
  if (text === 'never') return -1
  if (text === '0') return 0
  const [, digits = '', unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  const found = Number(digits) * (seconds.get(unit) ?? Number.NaN)
  if (found <= longestSeconds) return found
  throw new CommandError(
    `${JSON.stringify(text)} is no age: expected such as 30m, 24h or 7d, at most 3650d, or 0 to check at each pull, or never`,
  )
}

const longestSeconds = 3_650 * 86_400

export function printAge(age: number): string {
  const [unit, size] = [...seconds].findLast(([, each]) => age >= each && age % each === 0) ?? ['', 1]
  return `${age / size}${unit}`
}

const bytes: ReadonlyMap<string, number> = new Map(
  ['', 'KiB', 'MiB', 'GiB', 'TiB'].map((unit, power) => [unit, 1_024 ** power]),
)

/** Bytes; 0 for `none`. @throws CommandError */
export function readSize(text: string): number {
  if (text === 'none') return 0
  const [, digits = '', unit = ''] = /^(\d{1,16})([KMGT]iB)?$/.exec(text) ?? []
  const found = digits === '' ? Number.NaN : Number(digits) * (bytes.get(unit) ?? Number.NaN)
  if (found > 0 && found <= Number.MAX_SAFE_INTEGER) return found
  throw new CommandError(
    `${JSON.stringify(text)} is no size: expected such as 500MiB, 10GiB or a number of bytes, or none`,
  )
}
