import type { GetRetentionSettingsResponse } from '#admin/model.ts'
import { type ApiCall, CommandError, type CommandGroup, textOf } from './command.ts'

export const retentionCommands: CommandGroup = {
  name: 'retention',
  description: 'how a registry keeps what is deleted, and what is in use',
  commands: [
    {
      name: 'show',
      over: 'api',
      description: 'show how the registry keeps things',
      example: 'lading retention show',
      run: async (call) => show(call, await call.api.call('GetRetentionSettings', {})),
    },
    {
      name: 'set',
      over: 'api',
      description: 'change how the registry keeps things, for what is deleted from then on',
      options: [
        ['--recycle-bin-days <days>', 'for how long what is deleted can be restored; 0 deletes for good'],
        ['--keep-in-use <on|off>', 'whether images in use are kept, in repositories that do not say otherwise'],
      ],
      example: 'lading retention set --recycle-bin-days 14',
      run: set,
    },
  ],
}

async function set(call: ApiCall): Promise<void> {
  const recycleBinDays = readDays(textOf(call, 'recycleBinDays'))
  const keepInUse = readAnswer(textOf(call, 'keepInUse'))
  if (recycleBinDays === undefined && keepInUse === undefined) {
    throw new CommandError('nothing is said: give --recycle-bin-days or --keep-in-use')
  }
  show(call, await call.api.call('PutRetentionSettings', { recycleBinDays, keepInUse }))
}

function show({ output }: ApiCall, { recycleBinDays, keepInUse }: GetRetentionSettingsResponse): void {
  output.show({ recycleBinDays, keepInUse })
}

/** @throws CommandError */
function readDays(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,3}$/.test(text)) throw new CommandError(`${JSON.stringify(text)} is no number of days: expected 0 to 365`)
  return Number(text)
}

/** @throws CommandError */
function readAnswer(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined
  if (text !== 'on' && text !== 'off') throw new CommandError('expected --keep-in-use on or --keep-in-use off')
  return text === 'on'
}
