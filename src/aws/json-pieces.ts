import { setImmediate } from 'node:timers/promises'

/** Characters that become bytes before other work runs: some milliseconds. An item of a list is never split. */
const pieceLength = 256 * 1024

/**
 * An answer's JSON as bytes, in pieces. The items of its lists are written one by one, since an answer may have tens of MiB, such as
 * the manifests of BatchGetImage. An answer of usual size is one piece.
 */
export async function writeJsonPieces(value: Readonly<Record<string, unknown>>): Promise<Buffer[]> {
  const pieces: Buffer[] = []
  let text = ''
  for (const part of partsOf(value)) {
    text += part
    if (text.length < pieceLength) continue
    pieces.push(Buffer.from(text))
    text = ''
    await setImmediate()
  }
  if (text !== '' || pieces.length === 0) pieces.push(Buffer.from(text))
  return pieces
}

/** Joined, they are what `JSON.stringify` makes of a value in which everything has a value. */
function* partsOf(value: Readonly<Record<string, unknown>>): Generator<string> {
  let before = '{'
  for (const [name, member] of Object.entries(value)) {
    const key = `${before}${JSON.stringify(name)}:`
    if (Array.isArray(member)) {
      yield `${key}[`
      for (const [at, item] of member.entries()) yield (at === 0 ? '' : ',') + JSON.stringify(item)
      yield ']'
    } else {
      yield key + JSON.stringify(member)
    }
    before = ','
  }
  yield before === '{' ? '{}' : '}'
}
