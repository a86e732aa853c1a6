/** Results as a table for people. */
import type { Comparison, Limit, Unit } from './figure.ts'
import type { ComparisonResult, ServerResult } from './measure.ts'

export type Row = readonly string[]

const columns: Row = [
  'figure',
  'Lading',
  'Distribution',
  'ratio',
  'target',
  'CPU of Lading',
  'of Distribution',
  'peak RSS of Lading',
  'of Distribution',
]

export function comparisonRow({ title, unit, target }: Comparison, { lading, peer, ratio }: ComparisonResult): Row {
  return [
    title,
    rateText(lading.rate, unit),
    peer === undefined ? '' : rateText(peer.rate, unit),
    ratio === undefined ? '' : `${ratio.toFixed(2)}×`,
    target === undefined ? '' : `≥ ${target}×${ratio === undefined ? '' : ` ${mark(ratio >= target)}`}`,
    cpuText(lading, unit),
    peer === undefined ? '' : cpuText(peer, unit),
    mbText(lading.peakMb),
    peer === undefined ? '' : mbText(peer.peakMb),
  ]
}

export function limitRow(limit: Limit, value: number): Row {
  const { title, unit } = limit
  const target =
    'atMost' in limit
      ? `≤ ${limit.atMost} ${unit} ${mark(value <= limit.atMost)}`
      : `≥ ${limit.atLeast.toLocaleString('en')}${unit === '%' || unit === '×' ? ` ${unit}` : '/s'} ${mark(value >= limit.atLeast)}`
  switch (unit) {
    case 'MB':
      return [title, '', '', '', target, '', '', mbText(value)]
    case 's':
      return [title, secondsText(value), '', '', target]
    case 'ms':
      return [title, `${value.toFixed(1)} ms`, '', '', target]
    case '×':
      return [title, `${value.toFixed(2)}×`, '', '', target]
    case '%':
      return [title, `${value.toFixed(0)} %`, '', '', target]
    case 'evaluations':
    case 'images':
      return [title, `${Math.round(value).toLocaleString('en')}/s`, '', '', target]
  }
}

export function tableOf(rows: readonly Row[]): string {
  const all = [columns, ...rows]
  const widths = columns.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
  const lines = all.map((row) =>
    widths
      .map((width, column) => (row[column] ?? '')[column === 0 ? 'padEnd' : 'padStart'](width))
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}

function rateText(rate: number, unit: Unit): string {
  switch (unit) {
    case 'requests':
    case 'blobs':
      return `${Math.round(rate).toLocaleString('en')}/s`
    case 'bytes':
      return `${(rate / 1e6).toFixed(0)} MB/s`
    case 'runs':
      return secondsText(1 / rate)
  }
}

function cpuText({ cpuPerAmount }: ServerResult, unit: Unit): string {
  switch (unit) {
    case 'requests':
    case 'blobs':
      return `${secondsText(cpuPerAmount * 1000)} per 1,000`
    case 'bytes':
      return `${secondsText(cpuPerAmount * 1e9)} per GB`
    case 'runs':
      return `${secondsText(cpuPerAmount)} per run`
  }
}

function secondsText(seconds: number): string {
  return `${seconds.toFixed(2)} s`
}

function mbText(mb: number): string {
  return `${mb.toFixed(0)} MB`
}

function mark(reached: boolean): string {
  return reached ? '✔' : '✖'
}
