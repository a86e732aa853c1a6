// The command line: `lading serve`, whose flags are the table of settings, and the commands of `commands/table.ts`. All help
// and all refusals of what does not parse come from those two tables.

import { Command } from 'commander'
import type { Command as DeclaredCommand } from '#commands/command.ts'
import { commandTable } from '#commands/table.ts'
import { loadSettings, type SettingsSources } from '#config/load.ts'
import { environmentName, flagName } from '#config/names.ts'
import { SettingError } from '#config/setting-error.ts'
import { type SettingKey, settingKeys, settingsTable } from '#config/table.ts'
import packageJson from '../package.json' with { type: 'json' }

/** Runs the command that `argv` names. What it refuses it says in one line on standard error, with exit code 1. */
export async function runCommandLine(argv: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> {
  const program = new Command('lading')
    .description(packageJson.description)
    .version(packageJson.version)
    .showSuggestionAfterError(false)
  const add = (parent: Command, command: Command) => parent.addCommand(command.copyInheritedSettings(program))
  add(program, serveCommand(environment))
  for (const declared of commandTable) {
    if ('run' in declared) add(program, declaredCommand(declared, environment))
    else {
      const group = new Command(declared.name).description(declared.description)
      add(program, group)
      for (const command of declared.commands) add(group, declaredCommand(command, environment))
    }
  }
  for (const command of withDescendants(program)) refuseInOneLine(command)
  await program.parseAsync(argv)
}

function withDescendants(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withDescendants)]
}

function serveCommand(environment: NodeJS.ProcessEnv): Command {
  const command = new Command('serve').description(
    'serve the registry; each setting is a flag, an environment variable or a key of lading.yaml',
  )
  addSettings(command, settingKeys)
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

function declaredCommand(declared: DeclaredCommand, environment: NodeJS.ProcessEnv): Command {
  const { name, description, arguments: words = [], options = [], example } = declared
  const command = new Command(name).description(description)
  for (const [word, help] of words) command.argument(word, help)
  for (const [flags, help] of options) command.option(flags, help)
  command.option('--json', 'print one JSON document instead of text for people')
  if (declared.over !== undefined) for (const [flags, help] of apiOptions) command.option(flags, help)
  else addSettings(command, [...(declared.settings ?? []), 'dataDir', 'database', 'secretKey'], meanings)
  command.addHelpText('after', `\nExample:\n  ${example}`)
  return command.action(async () => {
    const { run } = await import('#commands/run.ts')
    const refused = await run(declared, {
      arguments: command.processedArgs.flat(),
      options: command.opts(),
      environment,
    })
    if (refused !== undefined) command.error(refused)
  })
}

/** Of commands that ask a server: who is asked, and as whom. */
const apiOptions = [
  ['--endpoint-url <url>', 'server that is asked (AWS_ENDPOINT_URL_LADING, AWS_ENDPOINT_URL)'],
  ['--region <region>', 'region that the command is about (AWS_REGION, AWS_DEFAULT_REGION, or the profile)'],
  ['--profile <name>', 'profile of the shared config and credentials files (AWS_PROFILE)'],
] as const

/** What a setting is to a command, where the help of `serve` says what it is to a server. */
const meanings: Partial<Record<SettingKey, string>> = {
  account: 'account that the command is about',
  region: 'region that the command is about',
}

function addSettings(command: Command, keys: readonly SettingKey[], instead: typeof meanings = {}): void {
  command.option('--config <file>', 'file of settings (LADING_CONFIG; default: ./lading.yaml if it is there)')
  for (const key of keys) {
    const { placeholder, help, fallback, otherwise } = settingsTable[key]
    const without = fallback ?? otherwise
    command.option(
      `${flagName(key)} <${placeholder}>`,
      `${instead[key] ?? help} (${environmentName(key)}; default: ${without})`,
    )
  }
}

function refuseInOneLine(command: Command): void {
  command.configureOutput({ outputError: (text, write) => write(refusal(text, command)) })
}

/** Commander's complaint as one line, without any word that it did not expect: a secret may have slipped there. */
function refusal(text: string, command: Command): string {
  const line = text.replace(/^error: /, '').trim()
  const flags = command.options.map(({ long }) => long).join(', ')
  const serves = command.name() === 'serve'
  const whole = usage(command)
  const unknown = /^unknown option '(--[a-z-]+)?/.exec(line)
  if (unknown && command.commands.length > 0) {
    return `lading: ${unknown[1] ?? 'a flag'} stands too early: flags come after the whole command, as in ${whole} <command> --json\n`
  }
  if (unknown) {
    return `lading: ${unknown[1] ?? 'a flag'} is no ${serves ? 'setting' : `option of ${whole}`}: expected one of ${flags}\n`
  }
  if (/^too many arguments/.test(line)) {
    return serves
      ? `lading: a word stands alone: expected only ${flags}, each with its value\n`
      : `lading: there are too many words: expected ${whole}\n`
  }
  if (/^missing required argument/.test(line)) return `lading: a word is missing: expected ${whole}\n`
  if (/^unknown command/.test(line)) {
    const names = command.commands.map((each) => each.name()).join(', ')
    return `lading: no such command: expected ${whole} and one of ${names}\n`
  }
  return `lading: ${line}\n`
}

/** Such as `lading user create <user>`. */
function usage(command: Command): string {
  const words = command.registeredArguments.map((word) => (word.required ? `<${word.name()}>` : `[${word.name()}]`))
  const names = []
  for (let each: Command | null = command; each !== null; each = each.parent) names.unshift(each.name())
  return [...names, ...words].join(' ')
}
