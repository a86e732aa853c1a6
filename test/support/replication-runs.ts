/** `lading replication` over the registry of a session. */
import assert from 'node:assert/strict'
import { type Commands, commandsOver } from './command.ts'
import type { EcrSession } from './ecr-session.ts'

export type ShownRun = Readonly<Record<string, unknown>>

export interface RunCommands extends Commands {
  /** Runs `sync` or `verify` with `--wait` and answers its only run. It may end with code 2. */
  only(...words: readonly string[]): Promise<ShownRun>
  /** In the order of kinds, digests and tags. */
  findings(run: ShownRun): Promise<readonly ShownRun[]>
  /** Bytes of blobs that the only destination has received. */
  sentBytes(): Promise<number>
}

export function runCommandsOf({ server }: Pick<EcrSession, 'server'>): RunCommands {
  const commands = commandsOver({
    ...server.environment,
    AWS_ENDPOINT_URL: server.url,
    AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    AWS_REGION: server.region,
  })
  return {
    ...commands,
    async only(...words) {
      const { code, output, errors } = await commands.ended('replication', ...words, '--wait', '--json')
      assert.ok(code === 0 || code === 2, errors)
      const { runs } = JSON.parse(output) as { runs: readonly ShownRun[] }
      assert.equal(runs.length, 1)
      return runs[0] ?? {}
    },
    async findings({ run }) {
      const { findings } = (await commands.json('replication', 'findings', String(run))) as { findings: ShownRun[] }
      return findings.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    },
    async sentBytes() {
      const { output } = await commands.ended('replication', 'status', '--json')
      const { destinations } = JSON.parse(output) as { destinations: readonly { readonly sentBytes: number }[] }
      assert.equal(destinations.length, 1)
      return destinations[0]?.sentBytes ?? 0
    },
  }
}

function keyOf({ kind, digest, tag = '' }: ShownRun): string {
  return `${kind} ${digest} ${tag}`
}
