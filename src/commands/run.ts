import { loadSettings, type SettingsSources } from '#config/load.ts'
import { settingKeys } from '#config/table.ts'
import { createApi } from './api/client.ts'
import { findTarget, targetOptions } from './api/target.ts'
import type { ApiCommand, Command, DeploymentCommand, Typed } from './command.ts'
import { type Deployment, openDeployment } from './deployment.ts'
import { describeFailure } from './failures.ts'
import { createOutput } from './output.ts'

export interface Invocation {
  readonly arguments: readonly string[]
  /** As commander gives them: settings, `json`, and the command's own. */
  readonly options: Readonly<Record<string, unknown>>
  readonly environment: NodeJS.ProcessEnv
}

/** Runs a command to its end. Answers the line that says why it could not be done; throws what nobody expected. */
export async function run(command: Command, invocation: Invocation): Promise<string | undefined> {
  process.umask(0o077)
  // Whoever reads only the first lines of a long listing ends it thereby.
  process.stdout.on('error', () => process.exit(0))
  const typed: Typed = {
    arguments: invocation.arguments,
    // What commander parses by the declarations of a command.
    options: invocation.options as Typed['options'],
    output: createOutput(invocation.options.json === true, (text) => void process.stdout.write(text)),
  }
  try {
    if (command.over === 'api') await askServer(command, typed, invocation)
    else if (command.over === 'protocol') await command.run({ ...typed, environment: invocation.environment })
    else await workOnDeployment(command, typed, invocation)
    return undefined
  } catch (error) {
    const line = describeFailure(error)
    if (line === undefined) throw error
    return line
  }
}

async function askServer(command: ApiCommand, typed: Typed, { environment }: Invocation): Promise<void> {
  const target = await findTarget(targetOptions(typed), environment)
  await command.run({ ...typed, target, api: createApi(target) })
}

async function workOnDeployment(
  command: DeploymentCommand,
  typed: Typed,
  { options, environment }: Invocation,
): Promise<void> {
  await using opened = new AsyncDisposableStack()
  const settings = loadSettings({ flags: flagsIn(options), environment })
  const open = async (): Promise<Deployment> => opened.use(await openDeployment(settings))
  await command.run({ ...typed, settings, open })
}

function flagsIn(options: Invocation['options']): SettingsSources['flags'] {
  const flags = (['config', ...settingKeys] as const).map((key) => [key, options[key]] as const)
  return Object.fromEntries(flags.filter((flag): flag is [(typeof flag)[0], string] => typeof flag[1] === 'string'))
}
