import type { Settings } from '#config/settings.ts'
import type { SettingKey } from '#config/table.ts'
import type { Api } from './api/client.ts'
import type { ApiTarget } from './api/target.ts'
import type { Deployment } from './deployment.ts'
import type { Output } from './output.ts'

/** A command as it is declared, once: its help, its grammar and its refusals all come from here. */
export type Command = DeploymentCommand | ApiCommand | ProtocolCommand

interface Declared {
  readonly name: string
  /** What it does, in one line. */
  readonly description: string
  /** As commander writes them: `<user>`, `[name]`; the texts come in this order as `arguments`. */
  readonly arguments?: readonly Explained[]
  /** Besides `--json` and what all commands of the kind have. */
  readonly options?: readonly Explained[]
  /** A whole line that works. */
  readonly example: string
}

/** Works on the database of a deployment, by its settings. */
export interface DeploymentCommand extends Declared {
  readonly over?: undefined
  /** Settings that say something to this command, besides where the data are, as its flags. */
  readonly settings?: readonly CommandSetting[]
  /** Prints to `output` alone. @throws CommandError, Refusal, SettingError: all of them are said in one line */
  run(call: Call): Promise<void>
}

/** Asks a server by its API, from anywhere, so that whoever types it needs the permission. */
export interface ApiCommand extends Declared {
  readonly over: 'api'
  /** Prints to `output` alone. @throws CommandError, said in one line */
  run(call: ApiCall): Promise<void>
}

/** Speaks the protocol of another program, which reads failures from standard output. It finds its server by itself. */
export interface ProtocolCommand extends Declared {
  readonly over: 'protocol'
  /** @throws CommandError, said in one line on standard error */
  run(call: ProtocolCall): Promise<void>
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

/** What somebody typed, and where to answer. */
export interface Typed {
  readonly arguments: readonly string[]
  /** By name in camel case, as commander gives them: `true` for a switch, an array for one with several values. */
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>
  readonly output: Output
}

export interface Call extends Typed {
  readonly settings: Settings
  /** Opens what the settings name; closed when the command has ended. @throws SettingError */
  open(): Promise<Deployment>
}

export interface ApiCall extends Typed {
  readonly api: Api
  /** Whom it asks. */
  readonly target: Pick<ApiTarget, 'endpoint' | 'region'>
}

export interface ProtocolCall extends Typed {
  readonly environment: NodeJS.ProcessEnv
}

/** The text of an option that takes one. */
export function textOf({ options }: Typed, name: string): string | undefined {
  const value = options[name]
  return typeof value === 'string' ? value : undefined
}

/** The texts of an option that takes several. */
export function textsOf({ options }: Typed, name: string): readonly string[] {
  const value = options[name]
  // `Array.isArray` does not narrow a readonly array.
  return Array.isArray(value) ? (value as readonly string[]) : []
}

/** What a command declines, in one line for the person who typed it. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}
