import { type ApiModel, shapeOf } from './api-model.ts'
import type { XmlElements, XmlValue } from './xml.ts'

/**
 * Writes a handler's output as the elements of a query answer: lists as `member`s, maps as `entry`s of `key` and `value`, a
 * `Date` in ISO 8601 to the second, and members without a value not at all. Each shape is compiled once.
 */
export function compileElements(model: ApiModel, shapeName: string): (output: object) => XmlElements {
  const write = compile(model, shapeName)
  // A structure's writer gives elements.
  return (output) => write(output) as XmlElements
}

/** The generated types promise each handler's output to be of its shape, so the casts below say what was compiled. */
function compile(model: ApiModel, name: string): (value: unknown) => XmlValue {
  const shape = shapeOf(model, name)
  switch (shape.type) {
    case 'structure': {
      const members = Object.entries(shape.members).map(([member, ref]) => [member, compile(model, ref.shape)] as const)
      return (value) => {
        const source = value as Readonly<Record<string, unknown>>
        const elements: Record<string, XmlValue> = {}
        for (const [member, write] of members) {
          const item = source[member]
          if (item !== undefined) elements[member] = write(item)
        }
        return elements
      }
    }
    case 'list': {
      const write = compile(model, shape.member.shape)
      return (value) => ({ member: (value as readonly unknown[]).map(write) })
    }
    case 'map': {
      const write = compile(model, shape.value.shape)
      return (value) => ({
        entry: Object.entries(value as object).map(([key, item]) => ({ key, value: write(item) })),
      })
    }
    case 'timestamp':
      return (value) => (value as Date).toISOString().replace(/\.\d{3}Z$/, 'Z')
    case 'blob':
      return (value) => Buffer.from(value as Uint8Array).toString('base64')
    default:
      return String
  }
}
