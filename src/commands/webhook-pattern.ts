import { readFile } from 'node:fs/promises'
import { text as textOfStream } from 'node:stream/consumers'
import { type ApiCall, type Command, CommandError, textOf } from './command.ts'

/** Event patterns that people type, and what they select. */

export const testPattern: Command = {
  name: 'test-pattern',
  over: 'api',
  description: 'show whether an event fits an event pattern',
  options: [
    ['--pattern <json>', 'the event pattern'],
    ['--pattern-file <file>', 'a file with the pattern, or - for standard input'],
    ['--event <json>', 'the event'],
    ['--event-file <file>', 'a file with the event, or - for standard input'],
  ],
  example: `lading webhook test-pattern --pattern '{"source":["aws.ecr"]}' --event '{"source":"aws.ecr"}'`,
  run,
}

async function run(call: ApiCall): Promise<void> {
  if (call.options.patternFile === '-' && call.options.eventFile === '-') {
    throw new CommandError('standard input can be either the pattern or the event')
  }
  const [eventPattern, event] = [await readPattern(call), await readText(call, 'event')]
  if (eventPattern === undefined) throw new CommandError('expected --pattern <json> or --pattern-file <file>')
  if (event === undefined) throw new CommandError('expected --event <json> or --event-file <file>')
  const { result: fits } = await call.api.call('TestEventPattern', { eventPattern, event })
  call.output.show({ fits })
}

/** Any text may be a pattern: the server says what is wrong with it. @throws CommandError */
export function readPattern(call: ApiCall): Promise<string | undefined> {
  return readText(call, 'pattern')
}

/** The text of `--<name>`, or of the file that `--<name>-file` names. @throws CommandError */
async function readText(call: ApiCall, name: 'pattern' | 'event'): Promise<string | undefined> {
  const [text, file] = [textOf(call, name), textOf(call, `${name}File`)]
  if (text !== undefined && file !== undefined) throw new CommandError(`expected --${name} or --${name}-file`)
  if (file === undefined) return text
  return file === '-' ? await textOfStream(process.stdin) : await readFile(file, 'utf8')
}
