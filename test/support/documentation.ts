/** What pages of `docs` show to readers, with the address of a running server in place of the one that they print. */
import { readFile } from 'node:fs/promises'
import type { RunningServer } from './server.ts'

const printedHost = '127.0.0.1:5100'

/** A page of `docs`, by its name, such as `terraform.md`. */
export async function readPage(name: string, { host }: Pick<RunningServer, 'host'>): Promise<string> {
  const text = await readFile(new URL(`../../docs/${name}`, import.meta.url), 'utf8')
  return text.replaceAll(printedHost, host)
}

/** The blocks of one language, in order. */
export function blocksOf(page: string, language: string): readonly string[] {
  return [...page.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map(([, block = '']) => block)
}

/** The variables that a page exports, by the prefix of their names. */
export function exportsOf(page: string, prefix: string): Record<string, string> {
  const lines = page.matchAll(/^export (\w+)=(.*)$/gm)
  const all = Array.from(lines, ([, name = '', value = '']) => [name, value] as const)
  return Object.fromEntries(all.filter(([name]) => name.startsWith(prefix)))
}
