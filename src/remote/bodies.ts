import { RemoteFailure } from './registry.ts'
import type { TransportAnswer } from './transport.ts'

/** The whole body. @throws RemoteFailure `invalid` above `maxBytes`, before more is read */
export async function readWhole(answer: TransportAnswer, maxBytes: number): Promise<Buffer> {
  if (isEncoded(answer) || (lengthOf(answer) ?? 0) > maxBytes) {
    await answer.discard()
    throw new RemoteFailure('invalid', isEncoded(answer) ? 'its answer is compressed' : tooLarge(maxBytes))
  }
  const chunks: Uint8Array[] = []
  let received = 0
  for await (const chunk of answer.body) {
    received += chunk.byteLength
    if (received > maxBytes) throw new RemoteFailure('invalid', tooLarge(maxBytes))
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** @throws RemoteFailure `invalid` */
export async function readJson(answer: TransportAnswer, maxBytes: number): Promise<unknown> {
  const body = await readWhole(answer, maxBytes)
  try {
    return JSON.parse(body.toString())
  } catch (cause) {
    throw new RemoteFailure('invalid', 'its answer is not JSON', { cause })
  }
}

/** Every request asks for content as it is. An answer that is compressed all the same has another digest. */
export function isEncoded({ headers }: TransportAnswer): boolean {
  const encoding = headers.get('content-encoding')?.trim().toLowerCase() ?? ''
  return encoding !== '' && encoding !== 'identity'
}

export function lengthOf({ headers }: TransportAnswer): number | undefined {
  const text = headers.get('content-length') ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

function tooLarge(maxBytes: number): string {
  return `its answer is larger than ${maxBytes} bytes`
}
