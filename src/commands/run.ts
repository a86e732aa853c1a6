import { loadSettings, type SettingsSources } from '#config/load.ts'
import { settingKeys } from '#config/table.ts'
import type { Call, Command } from './command.ts'
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
  const { options, environment } = invocation
  await using opened = new AsyncDisposableStack()
  try {
    const settings = loadSettings({ flags: flagsIn(options), environment })
    await command.run({
      arguments: invocation.arguments,
      // What commander parses by the declarations of a command.
      options: options as Call['options'],
      settings,
      environment,
      output: createOutput(options.json === true, (text) => void process.stdout.write(text)),
      open: async (): Promise<Deployment> => opened.use(await openDeployment(settings)),
    })
    return undefined
  } catch (error) {
    const line = describeFailure(error)
    if (line === undefined) throw error
    return line
  }
}

function flagsIn(options: Invocation['options']): SettingsSources['flags'] {
  const flags = (['config', ...settingKeys] as const).map((key) => [key, options[key]] as const)
  return Object.fromEntries(flags.filter((flag): flag is [(typeof flag)[0], string] => typeof flag[1] === 'string'))
}
