/**
 * A setting that stops the start. The message is one line: which setting, the value (never a secret's), what was expected.
 */
export class SettingError extends Error {
  override readonly name = 'SettingError'
}
