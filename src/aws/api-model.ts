/**
 * The parts of an AWS API model (botocore's service description) that this room reads. The model is data: validation,
 * serialization and the generated types all follow from it, so none of them can disagree.
 */

interface MemberRef {
  readonly shape: string
}

export interface StructureShape {
  readonly type: 'structure'
  readonly members: Readonly<Record<string, MemberRef>>
  readonly required?: readonly string[]
}

export interface ListShape {
  readonly type: 'list'
  readonly member: MemberRef
  readonly min?: number
  readonly max?: number
}

export interface MapShape {
  readonly type: 'map'
  readonly key: MemberRef
  readonly value: MemberRef
}

export interface StringShape {
  readonly type: 'string'
  readonly enum?: readonly string[]
  /** A regular expression that the whole text must match. */
  readonly pattern?: string
  readonly min?: number
  readonly max?: number
  /** No error and no log shows the value. */
  readonly sensitive?: boolean
}

/** `long` is held in a number, since no value of ECR's passes 2^53. */
export interface NumberShape {
  readonly type: 'integer' | 'long' | 'double'
  readonly min?: number
  readonly max?: number
}

/** Base64 on the wire, bytes in handlers; `min` and `max` count bytes. */
export interface BlobShape {
  readonly type: 'blob'
  readonly min?: number
  readonly max?: number
}

/** A timestamp is a `Date` in handlers. On the wire JSON has epoch seconds with a fraction, XML has ISO 8601. */
interface PlainShape {
  readonly type: 'boolean' | 'timestamp'
}

export type Shape = StructureShape | ListShape | MapShape | StringShape | NumberShape | BlobShape | PlainShape

export interface ApiModel {
  readonly operations: Readonly<Record<string, OperationModel>>
  /** By the name that answers carry. */
  readonly errors: Readonly<Record<string, { readonly httpStatus: number }>>
  readonly shapes: Readonly<Record<string, Shape>>
}

export interface OperationModel {
  readonly input: string
  readonly output: string
  readonly errors: readonly string[]
  /** The element around the output of a query operation; none where it has no output. */
  readonly resultWrapper?: string
}

/** A service that speaks AWS JSON. */
export interface JsonModel extends ApiModel {
  readonly metadata: { readonly targetPrefix: string; readonly signingName: string }
}

/** A service that speaks the query protocol: the API's version tells it from others, and its answers have a namespace. */
export interface QueryModel extends ApiModel {
  readonly metadata: { readonly apiVersion: string; readonly signingName: string; readonly xmlNamespace: string }
}

/** The shape of that name; a model that refers to a shape which it does not hold is a mistake of its maker. */
export function shapeOf(model: ApiModel, name: string): Shape {
  const shape = model.shapes[name]
  if (shape === undefined) throw new Error(`the API model has no shape '${name}'`)
  return shape
}
