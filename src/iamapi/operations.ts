import type { Handlers } from '#aws/operation.ts'
import type { Operations } from './model.ts'

/** Every operation of the IAM API that has a handler. */
export function iamOperations() {
  return {} satisfies Partial<Handlers<Operations>>
}
