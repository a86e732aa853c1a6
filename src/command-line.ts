// The commands and flags of `lading`. The flags of `serve` are the table of settings, so `--help` tells all of them.

import { Command } from 'commander'
import { loadSettings, type SettingsSources } from '#config/load.ts'
import { environmentName, flagName } from '#config/names.ts'
import { SettingError } from '#config/setting-error.ts'
import { settingKeys, settingsTable } from '#config/table.ts'
import packageJson from '../package.json' with { type: 'json' }

/** Runs the command that `argv` names. What it refuses it says in one line on standard error, with exit code 1. */
export async function runCommandLine(argv: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> {
  const program = new Command('lading')
    .description(packageJson.description)
    .version(packageJson.version)
    .showSuggestionAfterError(false)
    .configureOutput({ outputError: (text, write) => write(refusal(text)) })
  program.addCommand(serveCommand(environment).copyInheritedSettings(program))
  await program.parseAsync(argv)
}

function serveCommand(environment: NodeJS.ProcessEnv): Command {
  const command = new Command('serve')
    .description('serve the registry; each setting is a flag, an environment variable or a key of lading.yaml')
    .option('--config <file>', 'file of settings (LADING_CONFIG; default: ./lading.yaml if it is there)')
  for (const key of settingKeys) {
    const { placeholder, help, fallback, otherwise } = settingsTable[key]
    const without = fallback ?? otherwise
    command.option(`${flagName(key)} <${placeholder}>`, `${help} (${environmentName(key)}; default: ${without})`)
  }
  return command.action(async (flags: SettingsSources['flags']) => {
    try {
      const settings = loadSettings({ flags, environment })
      // Only now, so that help and refusals need not wait for the whole program to load.
      const { serve } = await import('./serve.ts')
      await serve(settings)
    } catch (error) {
      if (!(error instanceof SettingError)) throw error
      command.error(error.message)
    }
  })
}

/** Commander's complaint as one line, without any word that it did not expect: a secret may have slipped there. */
function refusal(text: string): string {
  const line = text.replace(/^error: /, '').trim()
  const flags = ['config', ...settingKeys].map(flagName).join(', ')
  const unknown = /^unknown option '(--[a-z-]+)?/.exec(line)
  if (unknown) return `lading: ${unknown[1] ?? 'a flag'} is no setting: expected one of ${flags}\n`
  if (/^too many arguments/.test(line))
    return `lading: a word stands alone: expected only ${flags}, each with its value\n`
  if (/^unknown command/.test(line)) return 'lading: no such command: expected serve or help\n'
  return `lading: ${line}\n`
}
