import { createHash, createHmac } from 'node:crypto'

type Bytes = string | ArrayBuffer | ArrayBufferView

/** SHA-256, keyed (HMAC) when made with a secret, in the shape that `@smithy/signature-v4` asks for. */
export class Sha256 {
  readonly #secret: Bytes | undefined
  #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>

  constructor(secret?: Bytes) {
    this.#secret = secret
    this.#hash = start(secret)
  }

  update(data: Bytes): void {
    this.#hash.update(plain(data))
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }

  reset(): void {
    this.#hash = start(this.#secret)
  }
}

function start(secret: Bytes | undefined) {
  return secret === undefined ? createHash('sha256') : createHmac('sha256', plain(secret))
}

function plain(data: Bytes): string | NodeJS.ArrayBufferView {
  return data instanceof ArrayBuffer ? new Uint8Array(data) : (data as string | NodeJS.ArrayBufferView)
}
