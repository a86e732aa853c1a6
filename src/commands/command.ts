import type { Settings } from '#config/settings.ts'
import type { SettingKey } from '#config/table.ts'
import type { Deployment } from './deployment.ts'
import type { Output } from './output.ts'

/** A command as it is declared, once: its help, its grammar and its refusals all come from here. */
export interface Command {
  readonly name: string
  /** What it does, in one line. */
  readonly description: string
  /** As commander writes them: `<user>`, `[name]`; the texts come in this order as `arguments`. */
  readonly arguments?: readonly Explained[]
  /** Besides `--json` and the settings. */
  readonly options?: readonly Explained[]
  /** Settings that say something to this command, besides where the data are, as its flags. */
  readonly settings?: readonly CommandSetting[]
  /** A whole line that works. */
  readonly example: string
  /** Prints to `output` alone. @throws CommandError, Refusal, SettingError: all of them are said in one line */
  run(call: Call): Promise<void>
}

export type CommandSetting = Extract<SettingKey, 'account' | 'region' | 'blobs'>

/** Its flags or its name, and what it is. */
export type Explained = readonly [name: string, help: string]

/** Commands about one kind of thing, such as `lading user …`. */
export interface CommandGroup {
  readonly name: string
  readonly description: string
  readonly commands: readonly Command[]
}

export interface Call {
  readonly arguments: readonly string[]
  /** By name in camel case, as commander gives them: `true` for a switch, an array for one with several values. */
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>
  readonly settings: Settings
  readonly environment: Readonly<NodeJS.ProcessEnv>
  readonly output: Output
  /** Opens what the settings name; closed when the command has ended. @throws SettingError */
  open(): Promise<Deployment>
}

/** What a command declines, in one line for the person who typed it. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}
