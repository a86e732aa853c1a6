import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'
import type { DestinationStream } from 'pino'

/**
 * Where log lines go: to standard error, gathered into writes that a pipe takes whole, so that lines of several processes do
 * not mix. A reader that stalls or goes away costs log lines, never a request and never the end of the process: writing does
 * not block, what waits is bounded, and what does not fit is counted and told.
 */
export class LogWriter implements DestinationStream {
  readonly #fd: number
  readonly #isOwn: boolean
  readonly #timer: NodeJS.Timeout
  /** Lines that fit into one write, still to be joined by others. */
  #gathering = ''
  /** Writes that the reader has not taken yet. */
  readonly #waiting: Buffer[] = []
  #waitingBytes = 0
  #dropped = 0
  #broken: boolean = false

  constructor(fd: number) {
    this.#fd = nonBlocking(fd)
    this.#isOwn = this.#fd !== fd
    this.#timer = setInterval(() => this.flush(), flushEveryMs).unref()
  }

  write(line: string): void {
    if (this.#gathering.length + line.length > atomicBytes) this.flush()
    this.#gathering += line
  }

  close(): void {
    clearInterval(this.#timer)
    this.flush()
    if (this.#isOwn) closeSync(this.#fd)
  }

  /** Hands over what the reader takes now, and keeps the rest. */
  flush(): void {
    if (this.#gathering !== '') {
      this.#enqueue(this.#gathering)
      this.#gathering = ''
    }
    while (!this.#broken && this.#waiting[0] !== undefined) {
      const [bytes] = this.#waiting
      const written = this.#tryWrite(bytes)
      if (written === undefined) return
      this.#waitingBytes -= written
      if (written < bytes.byteLength) this.#waiting[0] = bytes.subarray(written)
      else this.#waiting.shift()
    }
    if (this.#dropped > 0) this.#tellDropped()
  }

  #enqueue(text: string): void {
    if (this.#broken || this.#waitingBytes > mostWaitingBytes) {
      this.#dropped += text.split('\n').length - 1
      return
    }
    const bytes = Buffer.from(text)
    this.#waiting.push(bytes)
    this.#waitingBytes += bytes.byteLength
  }

  /** The bytes that were taken; `undefined` if none can be now. */
  #tryWrite(bytes: Buffer): number | undefined {
    try {
      return writeSync(this.#fd, bytes)
    } catch (error) {
      if (!passing.has((error as NodeJS.ErrnoException).code ?? '')) {
        this.#broken = true
        this.#waiting.length = 0
      }
      return undefined
    }
  }

  #tellDropped(): void {
    const line = JSON.stringify({
      level: 40,
      time: new Date().toISOString(),
      pid: process.pid,
      dropped: this.#dropped,
      msg: 'log lines were dropped',
    })
    this.#dropped = 0
    this.#gathering = `${line}\n${this.#gathering}`
  }
}

/** What POSIX lets a pipe take in one piece or not at all (`PIPE_BUF` on Linux). */
const atomicBytes = 4_096
const mostWaitingBytes = 8 * 1024 * 1024
const flushEveryMs = 1_000

/** A full pipe and a full disk, which empty again. Anything else, such as a reader that is gone, is for good. */
const passing: ReadonlySet<string> = new Set(['EAGAIN', 'ENOSPC', 'EDQUOT'])

/**
 * The same pipe or terminal, opened anew so that writing to it does not wait, which leaves the flags of others that share it as they
 * are. Where that cannot be done (a socket, another system), the descriptor itself; so with a file, which lets nobody wait and has
 * one place to write at for all who share it, but another for who opens it anew.
 */
function nonBlocking(fd: number): number {
  try {
    const kind = fstatSync(fd)
    if (!kind.isFIFO() && !kind.isCharacterDevice()) return fd
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch {
    return fd
  }
}
