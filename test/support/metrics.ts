import assert from 'node:assert/strict'
import type { RunningServer } from './server.ts'

/** What `/metrics` of a server says, by series. */
export async function readMetrics({ url, credentials }: RunningServer): Promise<ReadonlyMap<string, number>> {
  const authorization = `Basic ${btoa(`${credentials.accessKeyId}:${credentials.secretAccessKey}`)}`
  const answer = await fetch(`${url}/metrics`, { headers: { authorization } })
  assert.equal(answer.status, 200)
  const lines = (await answer.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]))
}
