import { type ApiModel, shapeOf } from './api-model.ts'
import { secretMembers } from './secrets.ts'

/**
 * What an audit record tells of an input or an output, as JSON: written by the API model, so that a member which the model or
 * `secrets.ts` calls a secret is never there, nor any bytes. Members begin with a small letter, as CloudTrail's do. Bounded: long
 * texts are cut, of long lists the beginning is kept, and what is too large all the same is left out as a whole.
 */
export type Redact = (value: object) => string

type Describe = (value: unknown) => unknown

/** CloudTrail's own word. */
const hidden = 'HIDDEN_DUE_TO_SECURITY_REASONS'

const longestText = 2_048
const mostItems = 100
const longestWhole = 16_384

export function compileRedactor(model: ApiModel, shapeName: string): Redact {
  const describe = describerOf(model, shapeName)
  return (value) => {
    const json = JSON.stringify(describe(value))
    return json.length > longestWhole ? JSON.stringify({ omitted: true, originalSize: json.length }) : json
  }
}

/** The generated types promise each input and output to be of its shape, so the casts below say what was compiled. */
function describerOf(model: ApiModel, name: string): Describe {
  const shape = shapeOf(model, name)
  switch (shape.type) {
    case 'structure': {
      const members = Object.entries(shape.members).map(([member, ref]) => {
        const describe = isSecret(model, name, member, ref.shape) ? () => hidden : describerOf(model, ref.shape)
        return [member, `${member.charAt(0).toLowerCase()}${member.slice(1)}`, describe] as const
      })
      return (value) => {
        const source = value as Readonly<Record<string, unknown>>
        const result: Record<string, unknown> = {}
        for (const [member, shown, describe] of members) {
          const item = source[member]
          if (item !== undefined) result[shown] = describe(item)
        }
        return result
      }
    }
    case 'list': {
      const describe = describerOf(model, shape.member.shape)
      return (value) => (value as readonly unknown[]).slice(0, mostItems).map(describe)
    }
    case 'map': {
      const describe = describerOf(model, shape.value.shape)
      return (value) => {
        const entries = Object.entries(value as object).slice(0, mostItems)
        return Object.fromEntries(entries.map(([key, item]) => [cut(key), describe(item)]))
      }
    }
    case 'string':
      return (value) => cut(value as string)
    case 'timestamp':
      return (value) => (value as Date).toISOString()
    default:
      return (value) => value
  }
}

function isSecret(model: ApiModel, structure: string, member: string, shapeName: string): boolean {
  const shape = shapeOf(model, shapeName)
  if (shape.type === 'blob' || (shape.type === 'string' && shape.sensitive === true)) return true
  return secretMembers.has(`${structure}.${member}`)
}

function cut(text: string): string {
  return text.length > longestText ? `${text.slice(0, longestText)}… (${text.length} characters)` : text
}
