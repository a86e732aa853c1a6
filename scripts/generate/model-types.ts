import {
  type ApiModel,
  type JsonModel,
  type QueryModel,
  type Shape,
  type StructureShape,
  shapeOf,
} from '../../src/aws/api-model.ts'

/**
 * The TypeScript of an API model: `Operations`, with the input, the output and the errors of each operation, the structures
 * and enumerations that they are made of, and the model itself as data.
 */
export function modelTypes(model: JsonModel | QueryModel): string {
  const type = 'targetPrefix' in model.metadata ? 'JsonModel' : 'QueryModel'
  const inputs = reachable(
    model,
    Object.values(model.operations).map(({ input }) => input),
  )
  const outputs = reachable(
    model,
    Object.values(model.operations).map(({ output }) => output),
  )
  const declarations = [...new Set([...inputs, ...outputs])]
    .sort((a, b) => (a < b ? -1 : 1))
    .map((name) => declaration(model, name, inputs.has(name) && !outputs.has(name)))
    .filter((text) => text !== '')
  const operations = Object.entries(model.operations).map(
    ([name, { input, output, errors }]) =>
      `${name}: { readonly input: ${input}; readonly output: ${output}; readonly errors: ${literals(errors) || 'never'} }`,
  )
  return `// Generated from model.json by 'npm run generate'. Do not edit.
import type { ${type} } from '#aws/api-model.ts'
${brandImports(model)}import json from './model.json' with { type: 'json' }

/** The API model as data, for validation and serialization. */
// The type inferred from JSON widens every literal; 'npm run generate' reads this file as the same type.
export const model = json as unknown as ${type}

/** Every operation of the API, by name. */
export interface Operations {
${operations.join('\n')}
}

/** Every exception that some operation lists. */
export type ErrorName = Operations[keyof Operations]['errors']

${declarations.join('\n\n')}
`
}

function reachable(model: ApiModel, roots: readonly string[]): Set<string> {
  const seen = new Set<string>()
  const queue = [...roots]
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (seen.has(name)) continue
    seen.add(name)
    queue.push(...references(shapeOf(model, name)))
  }
  return seen
}

function references(shape: Shape): string[] {
  switch (shape.type) {
    case 'structure':
      return Object.values(shape.members).map((member) => member.shape)
    case 'list':
      return [shape.member.shape]
    case 'map':
      return [shape.key.shape, shape.value.shape]
    default:
      return []
  }
}

function declaration(model: ApiModel, name: string, validated: boolean): string {
  const shape = shapeOf(model, name)
  if (shape.type === 'structure') return structure(model, name, shape, validated)
  if (shape.type === 'string' && shape.enum !== undefined) return `export type ${name} = ${literals(shape.enum)}`
  return ''
}

function structure(
  model: ApiModel,
  name: string,
  { members, required = [] }: StructureShape,
  validated: boolean,
): string {
  const entries = Object.entries(members)
  if (entries.length === 0) return `export type ${name} = Readonly<Record<never, never>>`
  const lines = entries.map(([member, { shape }]) => {
    const type = typeOf(model, shape, validated)
    return required.includes(member) ? `readonly ${member}: ${type}` : `readonly ${member}?: ${type} | undefined`
  })
  return `export interface ${name} {\n${lines.join('\n')}\n}`
}

/** What validation has proved of an input: its patterns are the grammars of these names. */
const brands: Readonly<Record<string, string>> = { RegistryId: 'AccountId', RepositoryName: 'RepositoryName' }

const brandFiles: Readonly<Record<string, string>> = {
  RegistryId: '#names/account.ts',
  RepositoryName: '#names/repository-name.ts',
}

function brandImports(model: ApiModel): string {
  return Object.entries(brands)
    .filter(([shape]) => Object.hasOwn(model.shapes, shape))
    .map(([shape, brand]) => `import type { ${brand} } from '${brandFiles[shape]}'\n`)
    .join('')
}

function typeOf(model: ApiModel, name: string, validated: boolean): string {
  const shape = shapeOf(model, name)
  switch (shape.type) {
    case 'structure':
      return name
    case 'list':
      return `readonly ${typeOf(model, shape.member.shape, validated)}[]`
    case 'map': {
      const value = typeOf(model, shape.value.shape, validated)
      return `{ readonly [Key in ${typeOf(model, shape.key.shape, false)}]?: ${value} }`
    }
    case 'string':
      return shape.enum === undefined ? ((validated ? brands[name] : undefined) ?? 'string') : name
    case 'integer':
    case 'long':
    case 'double':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'blob':
      return 'Uint8Array'
    case 'timestamp':
      return 'Date'
  }
}

function literals(values: readonly string[]): string {
  return values.map((value) => `'${value}'`).join(' | ')
}
