import type { ApiModel } from './api-model.ts'
import { compileReader } from './validate.ts'
import { ecrViolations } from './violations.ts'

/** Tests have each answer checked against the API model, by reading it back as a client would. */

/**
 * Of an answer as AWS JSON; `unchecked` are shapes whose constraints the service itself breaks in its answers.
 *
 * @throws AwsError where it is not what the model promises
 */
export function compileVerifier(
  model: ApiModel,
  shapeName: string,
  unchecked: readonly string[] = [],
): (json: string) => void {
  const read = compileReader(model, shapeName, {
    constraints: {},
    unchecked: [...listShapes(model), ...unchecked],
    violations: ecrViolations,
  })
  return (json) => {
    read(JSON.parse(json), '')
  }
}

/** Bounds on how many items may be asked for do not bind answers, which share the shape: a list may well turn out empty. */
function listShapes({ shapes }: ApiModel): string[] {
  return Object.keys(shapes).filter((name) => shapes[name]?.type === 'list')
}

/** An output that cannot be written is the handler's mistake, never the caller's, whatever error told of it. */
export async function writing<Body>(name: string, write: () => Body | Promise<Body>): Promise<Body> {
  try {
    return await write()
  } catch (cause) {
    throw new Error(`the answer of ${name} is not what the API model promises`, { cause })
  }
}
