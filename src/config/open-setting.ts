import { SettingError } from './setting-error.ts'
import type { OpenedSetting, Settings } from './settings.ts'

const expected: Readonly<Record<OpenedSetting, string>> = {
  listen: 'a free address and port of this machine',
  database: 'a database that can be opened and written',
  blobs: 'a folder that can be opened and written',
  secretKey: 'the key that the secrets of this database were sealed with',
}

/**
 * Opens what a setting names. All that the system or a database says against it is the operator's to mend, and becomes one
 * line with the setting, its value, what was expected and what came instead. @throws SettingError
 */
export async function openSetting<T>(
  { origins }: Pick<Settings, 'origins'>,
  key: OpenedSetting,
  open: () => Promise<T>,
): Promise<T> {
  try {
    return await open()
  } catch (cause) {
    // What another setting names was opened meanwhile, and has its line.
    if (cause instanceof SettingError) throw cause
    throw new SettingError(`${origins[key]}: expected ${expected[key]} (${reasonOf(cause)})`, { cause })
  }
}

/** Where a name has several addresses, Node's error has a code and no message. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error ? String(error.code) : error.name
  return (error.message || code).replaceAll(/\s*\n\s*/g, ' ')
}
