import { type ApiModel, type ListShape, type StructureShape, shapeOf } from './api-model.ts'
import { serializationFailure } from './aws-error.ts'

/**
 * The parameters of a query call, which are flat (`Tags.member.1.Key=team`), as the value that AWS JSON would have in their
 * place, so that one reader validates both protocols. The model says what is a list and what a number; a text that is not
 * what the model says stays a text, for the reader to refuse.
 */
export type Unflatten = (parameters: URLSearchParams) => unknown

/** Of our own choosing, far above what any operation takes: what is held for a call is bounded by them. */
const mostParameters = 2_000
const deepest = 12

/** The input may hold what the query protocol can say: no shape that holds itself, and no maps. */
export function compileUnflatten(model: ApiModel, shapeName: string): Unflatten {
  const read = compile(model, shapeName)
  return (parameters) => read(treeOf(parameters))
}

/** A parameter's text, and the parameters whose names go on after a dot. */
interface Node {
  text: string | undefined
  readonly children: Map<string, Node>
}

type ReadNode = (node: Node) => unknown

function newNode(): Node {
  return { text: undefined, children: new Map() }
}

/** @throws AwsError for more than any operation takes */
function treeOf(parameters: URLSearchParams): Node {
  if (parameters.size > mostParameters) throw serializationFailure('The request has too many parameters.')
  const root = newNode()
  for (const [name, text] of parameters) {
    const parts = name.split('.', deepest + 1)
    if (parts.length > deepest) throw serializationFailure('The name of a parameter has too many parts.')
    let node = root
    for (const part of parts) {
      const child = node.children.get(part) ?? newNode()
      node.children.set(part, child)
      node = child
    }
    // Of a parameter that is given twice the first counts, as it does for `Action`.
    node.text ??= text
  }
  return root
}

function compile(model: ApiModel, name: string): ReadNode {
  const shape = shapeOf(model, name)
  switch (shape.type) {
    case 'structure':
      return structureNode(model, shape)
    case 'list':
      return listNode(model, shape)
    case 'integer':
    case 'long':
      return ({ text = '' }) => (/^-?\d{1,15}$/.test(text) ? Number(text) : text)
    case 'boolean':
      return ({ text }) => (text === 'true' ? true : text === 'false' ? false : text)
    case 'string':
      return ({ text }) => text
    default:
      throw new Error(`no input of a query service has a ${shape.type}`)
  }
}

function structureNode(model: ApiModel, { members }: StructureShape): ReadNode {
  const readers = Object.entries(members).map(([name, { shape }]) => [name, compile(model, shape)] as const)
  return ({ text, children }) => {
    if (text !== undefined && children.size === 0) return text
    const result: Record<string, unknown> = {}
    for (const [name, read] of readers) {
      const child = children.get(name)
      if (child !== undefined) result[name] = read(child)
    }
    return result
  }
}

function listNode(model: ApiModel, { member }: ListShape): ReadNode {
  const read = compile(model, member.shape)
  return ({ text, children }) => {
    // An empty list is written as a parameter without a value.
    if (children.size === 0) return text === '' ? [] : text
    const items = children.get('member')?.children ?? new Map<string, Node>()
    return [...items]
      .filter(([index]) => /^[1-9]\d{0,3}$/.test(index))
      .sort(([a], [b]) => Number(a) - Number(b))
      .map(([, item]) => read(item))
  }
}
