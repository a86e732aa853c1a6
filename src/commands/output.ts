// What a command prints: for people a plain table or lines of names and values, with --json one document of the same fields.
// Listings are printed page by page as they are read, so that a repository of any size needs the memory of one page.

/** Fields in their order; the names are what scripts rely on. Times are ISO 8601, sizes bytes, absent values left out by `undefined`. */
export type Fields = Readonly<Record<string, unknown>>

export interface Output {
  /** One thing. */
  show(fields: Fields): void
  /** Many of a kind: in JSON one object with the listing under `name`; for people a table of `columns`, or of all fields. */
  list(
    name: string,
    pages: AsyncIterable<readonly Fields[]>,
    columns: readonly Column[],
    options?: ListOptions,
  ): Promise<void>
  /** One of many that come over time: a line of text, or the fields as JSON on one line. */
  line(text: string, fields: Fields): void
  /** One text alone on its line, for people and for pipes; in JSON the fields. */
  value(text: string, fields: Fields): void
  /** A remark for people alone. */
  note(text: string): void
}

/** A field by its name, or what people are shown instead. */
export type Column = string | { readonly heading: string; readonly cell: (fields: Fields) => unknown }

export interface ListOptions {
  /** In JSON stands before the listing. */
  readonly also?: Fields
  /** For people: what stands above neighbours that have it in common. */
  readonly titleOf?: (fields: Fields) => string
  /** For people: the line in place of a listing that is empty. */
  readonly none?: string
}

export function createOutput(json: boolean, write: (text: string) => void): Output {
  return json ? jsonOutput(write) : plainOutput(write)
}

function jsonOutput(write: (text: string) => void): Output {
  return {
    show: (fields) => write(`${JSON.stringify(fields, undefined, 2)}\n`),
    async list(name, pages, _columns, { also = {} } = {}) {
      write('{\n')
      for (const [key, value] of Object.entries(also)) write(`  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`)
      write(`  ${JSON.stringify(name)}: [`)
      let count = 0
      for await (const page of pages) {
        for (const fields of page) write(`${count++ === 0 ? '' : ','}\n    ${JSON.stringify(fields)}`)
      }
      write(count === 0 ? ']\n}\n' : '\n  ]\n}\n')
    },
    line: (_text, fields) => write(`${JSON.stringify(fields)}\n`),
    value: (_text, fields) => write(`${JSON.stringify(fields, undefined, 2)}\n`),
    note: () => {},
  }
}

function plainOutput(write: (text: string) => void): Output {
  return {
    show(fields) {
      const present = Object.entries(fields).filter(([, value]) => value !== undefined)
      const width = Math.max(0, ...present.map(([name]) => heading(name).length))
      for (const [name, value] of present) write(`${heading(name).padEnd(width)}  ${cell(value)}\n`)
    },
    async list(name, pages, columns, { titleOf, none = `no ${heading(name)}` } = {}) {
      let any = false
      let title: string | undefined
      let widths: readonly number[] | undefined
      for await (const page of pages) {
        any ||= page.length > 0
        // A table for each title, whose first rows decide on its widths; what is wider later on stands out.
        for (let at = 0; at < page.length; ) {
          const its = titleOf?.(page[at] ?? {})
          const end = page.findIndex((fields, index) => index > at && titleOf?.(fields) !== its)
          const rows = page.slice(at, end < 0 ? page.length : end).map((fields) => columns.map(cellOf(fields)))
          if (its !== title) widths = undefined
          if (its !== undefined && its !== title) write(`\n${its}:\n`)
          title = its
          if (widths === undefined) {
            const headings = columns.map((column) => headingOf(column).toUpperCase())
            widths = columns.map((_, index) =>
              Math.max(...[headings, ...rows].map((texts) => texts[index]?.length ?? 0)),
            )
            write(line(headings, widths))
          }
          for (const row of rows) write(line(row, widths))
          at += rows.length
        }
      }
      if (!any && none !== '') write(`${none}\n`)
    },
    line: (text) => write(`${printable(text)}\n`),
    value: (text) => write(`${text}\n`),
    note: (text) => write(`${text}\n`),
  }
}

function line(texts: readonly string[], widths: readonly number[]): string {
  return `${texts
    .map((text, index) => text.padEnd(widths[index] ?? 0))
    .join('  ')
    .trimEnd()}\n`
}

function headingOf(column: Column): string {
  return heading(typeof column === 'string' ? column : column.heading)
}

function cellOf(fields: Fields): (column: Column) => string {
  return (column) => cell(typeof column === 'string' ? fields[column] : column.cell(fields))
}

/** `sizeBytes` is `size bytes`. */
function heading(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

/** On one line, without what would move the cursor of a terminal. */
function cell(value: unknown): string {
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return '-'
  if (Array.isArray(value)) return value.map(cell).join(', ')
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return printable(text)
}

function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is meant
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
}

/** Milliseconds since the epoch as text. */
export function time(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString()
}

/** How many rows a listing reads at once. */
export const pageSize = 500

/** A listing that is short by its nature. */
export async function* onePage(rows: readonly Fields[]): AsyncGenerator<readonly Fields[], void, void> {
  yield rows
}

/** The pages of a listing, as the fields that are shown of each item. */
export async function* shownPages<Item>(
  pages: AsyncIterable<readonly Item[]>,
  fieldsOf: (item: Item) => Fields,
): AsyncGenerator<readonly Fields[]> {
  for await (const page of pages) yield page.map(fieldsOf)
}
