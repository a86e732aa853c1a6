/**
 * Two network namespaces, each linked to this process alone: what runs in one reaches the other only through a relay of the test. It needs
 * the rights to make namespaces.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

export interface NetworkPair extends AsyncDisposable {
  readonly a: NetworkSide
  readonly b: NetworkSide
}

export interface NetworkSide {
  /** A program with its arguments that runs another one there, in its own place. */
  readonly under: readonly string[]
  /** Of the namespace, as this process sees it. */
  readonly address: string
  /** Of this process, as the namespace sees it. */
  readonly outside: string
  /** Takes the interface down: packets vanish, and connections stay as they are. */
  down(): Promise<void>
  up(): Promise<void>
}

const run = promisify(execFile)

/** Why there can be no namespaces; `undefined` if there can be. */
export async function namespacesProblem(): Promise<string | undefined> {
  const name = `lading-${process.pid}-try`
  try {
    await run('ip', ['netns', 'add', name])
    await run('ip', ['netns', 'del', name])
    return undefined
  } catch (error) {
    return `network namespaces cannot be made: ${error instanceof Error ? error.message.trim() : String(error)}`
  }
}

export async function openNetworkPair(): Promise<NetworkPair> {
  await using stack = new AsyncDisposableStack()
  const [a, b] = [await openSide(stack, 'a', 0), await openSide(stack, 'b', 4)]
  const owned = stack.move()
  return { a, b, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** Networks of RFC 2544, for tests. Runs at one time have different numbers. */
async function openSide(stack: AsyncDisposableStack, side: 'a' | 'b', first: number): Promise<NetworkSide> {
  const name = `lading-${process.pid}-${side}`
  const device = `ld${process.pid}${side}`
  const network = `198.19.${process.pid % 250}`
  const [outside, address] = [`${network}.${first + 1}`, `${network}.${first + 2}`]
  await run('ip', ['netns', 'add', name])
  stack.defer(async () => {
    await run('ip', ['netns', 'del', name])
  })
  // While the link is down no other route of the machine may lead to a server that answers.
  const nowhere = ['blackhole', `${network}.${first}/30`, 'metric', '4096']
  await run('ip', ['route', 'add', ...nowhere])
  stack.defer(async () => {
    await run('ip', ['route', 'del', ...nowhere])
  })
  await run('ip', ['link', 'add', device, 'type', 'veth', 'peer', 'name', 'outside', 'netns', name])
  await run('ip', ['addr', 'add', `${outside}/30`, 'dev', device])
  await run('ip', ['link', 'set', device, 'up'])
  await run('ip', ['-n', name, 'link', 'set', 'lo', 'up'])
  await run('ip', ['-n', name, 'addr', 'add', `${address}/30`, 'dev', 'outside'])
  await run('ip', ['-n', name, 'link', 'set', 'outside', 'up'])
  const set = async (state: 'up' | 'down') => {
    await run('ip', ['link', 'set', device, state])
  }
  return { under: ['ip', 'netns', 'exec', name], address, outside, down: () => set('down'), up: () => set('up') }
}
