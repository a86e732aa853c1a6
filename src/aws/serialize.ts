import { type ApiModel, shapeOf } from './api-model.ts'

/**
 * Writes a handler's output as AWS JSON: a `Date` becomes epoch seconds, bytes become base64, and members without a value
 * are left out. Only members that the model names are written. Each shape is compiled once.
 */
export type Write = (value: unknown) => unknown

export interface WriterOptions {
  /** Members that the model does not name: left out, or (in tests) taken for a handler's mistake. */
  readonly unknownMembers: 'drop' | 'refuse'
}

export function compileWriter(model: ApiModel, shapeName: string, options: WriterOptions): Write {
  const compile = (name: string): Write => writerOf(model, name, options, compile)
  return compile(shapeName)
}

/** The generated types promise each handler's output to be of its shape, so the casts below say what was compiled. */
function writerOf(model: ApiModel, name: string, options: WriterOptions, compile: (name: string) => Write): Write {
  const shape = shapeOf(model, name)
  switch (shape.type) {
    case 'structure': {
      const members = Object.entries(shape.members).map(([member, ref]) => [member, compile(ref.shape)] as const)
      return (value) => {
        const source = value as Readonly<Record<string, unknown>>
        if (options.unknownMembers === 'refuse') refuseUnknown(source, shape.members, name)
        const result: Record<string, unknown> = {}
        for (const [member, write] of members) {
          const item = source[member]
          if (item !== undefined) result[member] = write(item)
        }
        return result
      }
    }
    case 'list': {
      const write = compile(shape.member.shape)
      return (value) => (value as readonly unknown[]).map(write)
    }
    case 'map': {
      const write = compile(shape.value.shape)
      return (value) => Object.fromEntries(Object.entries(value as object).map(([key, item]) => [key, write(item)]))
    }
    case 'timestamp':
      return (value) => (value as Date).getTime() / 1000
    case 'blob':
      return (value) => Buffer.from(value as Uint8Array).toString('base64')
    default:
      return (value) => value
  }
}

function refuseUnknown(source: object, members: object, shapeName: string): void {
  const unknown = Object.keys(source).find((name) => !Object.hasOwn(members, name))
  if (unknown !== undefined) throw new Error(`'${unknown}' is not a member of ${shapeName}`)
}
