/**
 * A disk that keeps only what was synced: which bytes and which names below one folder a power loss could still take, replayed from
 * system calls. Bytes are safe once their file is synced. A name is safe once the folder that holds it is synced.
 */
import { dirname } from 'node:path'
import { isSync, isWrite, pathOfDescriptor, quotedPaths, type SystemCall } from './parse.ts'

/** One step of the replay. A call takes effect when it ends, except that a sync covers only what ended before it began. */
interface Step {
  readonly line: number
  readonly call: SystemCall
  readonly phase: 'begins' | 'ends'
}

export class Disk {
  /** Each path that is there, with what a power loss could take from it. Each change is a new object. */
  readonly #names = new Map<string, object | undefined>()
  readonly #bytes = new Map<string, object | undefined>()
  readonly #syncs = new Map<SystemCall, () => void>()
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  /** What of these paths and of their folders is not safe, in words. */
  unsafe(paths: readonly string[]): string[] {
    const found = new Set<string>()
    for (const path of paths) {
      if (this.#bytes.get(path) !== undefined) found.add(`bytes of ${this.#short(path)}`)
      for (let name = path; name.startsWith(`${this.#root}/`); name = dirname(name)) {
        if (!this.#names.has(name)) found.add(`${this.#short(name)} is missing`)
        if (this.#names.get(name) !== undefined) found.add(`name of ${this.#short(name)}`)
      }
    }
    return [...found]
  }

  begins(call: SystemCall): void {
    const path = pathOfDescriptor(call)
    if (!isSync(call) || path === undefined) return
    const bytes = this.#bytes.get(path)
    const names = [...this.#names].filter(([name, change]) => change !== undefined && dirname(name) === path)
    this.#syncs.set(call, () => {
      if (this.#bytes.get(path) === bytes) this.#bytes.set(path, undefined)
      for (const [name, change] of names) if (this.#names.get(name) === change) this.#names.set(name, undefined)
    })
  }

  ends(call: SystemCall): void {
    if (!call.succeeded) return
    this.#syncs.get(call)?.()
    const path = pathOfDescriptor(call)
    if (isWrite(call) && path !== undefined && this.#holds(path)) this.#bytes.set(path, {})
    const [first = '', second = ''] = quotedPaths(call)
    if (/^mkdir(at)?$/.test(call.name) || (call.name === 'openat' && call.text.includes('O_CREAT'))) this.#make(first)
    if (/^unlink(at)?$|^rmdir$/.test(call.name)) this.#remove(first)
    if (/^link(at)?$/.test(call.name)) this.#copy(first, second)
    if (/^rename/.test(call.name)) {
      this.#copy(first, second)
      this.#remove(first)
    }
  }

  #make(path: string): void {
    if (this.#holds(path) && !this.#names.has(path)) this.#names.set(path, {})
  }

  #remove(path: string): void {
    this.#names.delete(path)
    this.#bytes.delete(path)
  }

  #copy(from: string, to: string): void {
    if (!this.#holds(to)) return
    this.#names.set(to, {})
    this.#bytes.set(to, this.#bytes.get(from))
  }

  #holds(path: string): boolean {
    return path.startsWith(`${this.#root}/`)
  }

  #short(path: string): string {
    return path.slice(this.#root.length + 1)
  }
}

/** Replays the calls on a disk. `look` is called before each call begins. */
export function replay(calls: readonly SystemCall[], disk: Disk, look: (call: SystemCall) => void): void {
  const steps: Step[] = calls.flatMap((call) => [
    { line: call.begins, call, phase: 'begins' },
    { line: call.ends, call, phase: 'ends' },
  ])
  // The sort is stable: a call of one line begins before it ends.
  for (const { call, phase } of steps.sort((a, b) => a.line - b.line)) {
    if (phase === 'begins') {
      look(call)
      disk.begins(call)
    } else disk.ends(call)
  }
}
