/** Reads what `strace -f -y` writes: one call a line, or two lines where another thread's call comes between. */

export interface SystemCall {
  readonly name: string
  /** As strace prints them: descriptors with their paths, texts in quotes. */
  readonly text: string
  readonly succeeded: boolean
  /** The line on which it begins. Calls of several threads overlap. */
  readonly begins: number
  readonly ends: number
}

const wholeCall = /^(\d+) +(\w+)\((.*)\) += (-?\d+|\?)/
const beginning = /^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$/
const end = /^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (-?\d+|\?)/

/** The calls in the order in which they began. A call that did not end is left out. */
export function parseTrace(trace: string): SystemCall[] {
  const calls: SystemCall[] = []
  const open = new Map<string, { readonly text: string; readonly begins: number }>()
  for (const [line, content] of trace.split('\n').entries()) {
    const whole = wholeCall.exec(content)
    if (whole !== null) {
      const [, , name = '', text = '', result = ''] = whole
      calls.push({ name, text, succeeded: !result.startsWith('-'), begins: line, ends: line })
      continue
    }
    const begun = beginning.exec(content)
    if (begun !== null) {
      const [, thread = '', , text = ''] = begun
      open.set(thread, { text, begins: line })
      continue
    }
    const ended = end.exec(content)
    if (ended === null) continue
    const [, thread = '', name = '', rest = '', result = ''] = ended
    const first = open.get(thread)
    if (first === undefined) continue
    open.delete(thread)
    const { begins } = first
    calls.push({ name, text: first.text + rest, succeeded: !result.startsWith('-'), begins, ends: line })
  }
  return calls.sort((a, b) => a.begins - b.begins)
}

/** The path that strace prints beside a call's first descriptor. */
export function pathOfDescriptor({ text }: SystemCall): string | undefined {
  return /^\d+<([^>]*)>/.exec(text)?.[1]
}

/** The names that a call gives in quotes. */
export function quotedPaths({ text }: SystemCall): string[] {
  return [...text.matchAll(/"([^"]*)"/g)].map(([, path = '']) => path)
}

export function isSync({ name }: SystemCall): boolean {
  return name === 'fsync' || name === 'fdatasync'
}

export function isSyncOf(path: string): (call: SystemCall) => boolean {
  return (call) => isSync(call) && pathOfDescriptor(call) === path
}

export function isWrite({ name }: SystemCall): boolean {
  return /^p?write(v|v2|64)?$/.test(name)
}

export function isWriteTo(path: string): (call: SystemCall) => boolean {
  return (call) => isWrite(call) && pathOfDescriptor(call) === path
}
