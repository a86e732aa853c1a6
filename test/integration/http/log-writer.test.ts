/** Log lines reach a reader whole and in order; a reader that stalls or is gone costs lines, and nothing else. */
import assert from 'node:assert/strict'
import { closeSync, constants, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { LogWriter } from '#http/log-writer.ts'
import { run } from '#test/support/run.ts'
import { startServeProcess } from '#test/support/serve-process.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const line = (n: number) => `${JSON.stringify({ n, text: 'ä'.repeat(n % 700) })}\n`

test('lines reach a file whole and in order', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'log')
  const fd = openSync(path, 'w')
  const writer = new LogWriter(fd)
  const lines = Array.from({ length: 3_000 }, (_, n) => line(n))
  for (const each of lines) writer.write(each)
  writer.close()
  closeSync(fd)
  assert.equal(readFileSync(path, 'utf8'), lines.join(''))
})

test('lines stay whole in a file to which others write through the same descriptor', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'log')
  const fd = openSync(path, 'w')
  const writer = new LogWriter(fd)
  const lines = Array.from({ length: 10 }, (_, n) => line(n))
  for (const each of lines) {
    writer.write(each)
    writer.flush()
    writeSync(fd, 'other\n')
  }
  writer.close()
  closeSync(fd)
  assert.equal(readFileSync(path, 'utf8'), lines.map((each) => `${each}other\n`).join(''))
})

test('a disk that is full costs what does not fit in memory, and once there is room the log goes on', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'log')
  const fd = openSync(path, 'w')
  const writer = new LogWriter(fd)
  /** What the writer's descriptor stands for from now on: the system gives the lowest number that is free. */
  const exchangeFor = (other: string) => {
    closeSync(fd)
    assert.equal(openSync(other, 'a'), fd)
  }
  exchangeFor('/dev/full')
  const count = 100_000
  for (let n = 0; n < count; n++) writer.write(`{"n":${n},"text":"${'x'.repeat(100)}"}\n`)
  exchangeFor(path)
  writer.flush()
  writer.close()
  closeSync(fd)
  const read = parsed(readFileSync(path, 'utf8'))
  const [dropped = 0] = read.flatMap((each) => each.dropped ?? [])
  assert.ok(dropped > 0)
  assert.equal(read.length - 1 + dropped, count)
})

test('a reader that stalls loses what does not fit, is told how much, and nobody waits for it', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'pipe')
  await run('mkfifo', [path])
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const fd = openSync(path, constants.O_WRONLY)
  const writer = new LogWriter(fd)
  const count = 200_000
  for (let n = 0; n < count; n++) writer.write(`{"n":${n},"text":"${'x'.repeat(100)}"}\n`)

  let text = ''
  const buffer = Buffer.alloc(1024 * 1024)
  for (let quiet = 0; quiet < 3; ) {
    writer.flush()
    const bytes = readAvailable(reader, buffer)
    quiet = bytes === 0 ? quiet + 1 : 0
    text += buffer.toString('utf8', 0, bytes)
  }
  writer.close()
  const read = parsed(text)
  const numbers = read.flatMap(({ n }) => n ?? [])
  const dropped = read.reduce((sum, each) => sum + (each.dropped ?? 0), 0)
  assert.deepEqual(
    numbers,
    [...numbers].sort((a, b) => a - b),
  )
  assert.ok(dropped > 0)
  assert.equal(numbers.length + dropped, count)
  closeSync(fd)
  closeSync(reader)
})

test('serve ends when it is told to, also when nobody reads its log any more', async () => {
  await using folder = await temporaryFolder()
  await using server = startServeProcess(['--listen', '127.0.0.1:0', '--data-dir', folder.path])
  const url = await server.url()
  server.stopReadingErrors()
  // More than a pipe holds, so that the log is stuck.
  for (let n = 0; n < 1_000; n++) await (await fetch(`${url}/v2/`)).arrayBuffer()
  server.signal('SIGTERM')
  assert.equal(await server.exit, 0)
})

function parsed(text: string): { n?: number; dropped?: number }[] {
  return text
    .trimEnd()
    .split('\n')
    .map((each) => JSON.parse(each))
}

function readAvailable(fd: number, buffer: Buffer): number {
  try {
    return readSync(fd, buffer)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0
    throw error
  }
}
