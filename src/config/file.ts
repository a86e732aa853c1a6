// Reads lading.yaml: one flat mapping of setting to text. Scalars are kept as they were written (YAML's failsafe
// schema), since account 012345678901 read as a number would lose its zero.

import { readFileSync } from 'node:fs'
import { type Document, parseDocument } from 'yaml'
import { SettingError } from './setting-error.ts'
import { showText } from './shown.ts'

interface SettingsFile {
  /** Of the flag or variable that names the file. */
  readonly name: string
  /** Must be there. */
  readonly required: boolean
}

/** The file's keys and values as text. @throws SettingError */
export function readSettingsFile(path: string, options: SettingsFile): ReadonlyMap<string, string> {
  const root = readYaml(path, options)
  if (root === undefined) return new Map()
  if (typeof root !== 'object' || Array.isArray(root)) throw new SettingError(`${path}: expected a mapping of settings`)
  return new Map(
    Object.entries(root ?? {}).map(([key, given]) => {
      const value: unknown = given ?? ''
      if (typeof value !== 'string') {
        throw new SettingError(`${key} in ${path} is a list or a mapping: expected one value`)
      }
      return [key, value]
    }),
  )
}

/** The content of a file, with each scalar as text. `undefined` without a file, and for an empty one. @throws SettingError */
export function readYaml(path: string, options: SettingsFile): unknown {
  const content = readIfPresent(path, options)
  if (content === undefined) return undefined
  const document = parseDocument(content, { schema: 'failsafe', prettyErrors: false })
  const [error] = document.errors
  if (error) {
    const line = content.slice(0, error.pos[0]).split('\n').length
    throw new SettingError(`${path}, line ${line}: expected YAML (${error.code})`)
  }
  const root = contentOf(document, path)
  return root === null || root === '' ? undefined : root
}

/** Without the text of an alias that leads nowhere, which may be a secret that begins with a star. */
function contentOf(document: Document, path: string): unknown {
  try {
    return document.toJS()
  } catch (cause) {
    throw new SettingError(`${path}: expected YAML in which each alias has its anchor`, { cause })
  }
}

function readIfPresent(path: string, { name, required }: SettingsFile): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (code === 'ENOENT' && !required) return undefined
    throw new SettingError(`${name} is ${showText(path)}: expected a readable file (${code})`, { cause })
  }
}
