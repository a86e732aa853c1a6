import { TokenKeys } from '#iam/token-keys.ts'
import type { Call, CommandGroup } from './command.ts'
import { onePage, time } from './output.ts'

/** The keys that seal authorization tokens, which `docker login` takes. Servers know of a change within five seconds. */
export const tokenKeyCommands: CommandGroup = {
  name: 'token-keys',
  description: 'the keys that seal authorization tokens, those that docker login takes',
  commands: [
    {
      name: 'list',
      description: 'list them, oldest first; the newest one seals',
      example: 'lading token-keys list',
      run: listKeys,
    },
    {
      name: 'rotate',
      description: 'make a new key that seals from now on; tokens that were issued stay good until they expire',
      options: [['--revoke', 'end every token that was issued, within five seconds: everybody has to log in again']],
      example: 'lading token-keys rotate',
      run: rotateKeys,
    },
  ],
}

async function listKeys({ output, open }: Call): Promise<void> {
  await printKeys(await openKeys(open), output)
}

async function rotateKeys({ options: { revoke }, output, open }: Call): Promise<void> {
  const keys = await openKeys(open)
  await keys.rotate({ revoke: revoke === true })
  await printKeys(keys, output)
}

async function openKeys(open: Call['open']): Promise<TokenKeys> {
  const deployment = await open()
  return new TokenKeys({ ...deployment, box: await deployment.secrets() })
}

async function printKeys(keys: TokenKeys, output: Call['output']): Promise<void> {
  const listed = await keys.list()
  const fields = listed.map(({ id, createdAt }, index) => ({
    id,
    createdAt: time(createdAt),
    seals: index === listed.length - 1,
  }))
  await output.list('tokenKeys', onePage(fields), ['id', 'createdAt', 'seals'])
}
