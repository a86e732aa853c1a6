import type { Compilable } from 'kysely'
import type { Parameter, Parameters, Reader } from './metadata.ts'

class Placeholder {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** A compiled query whose values are filled in at each call. */
export interface PreparedQuery<P extends Parameters> {
  readonly sql: string
  bind(parameters: P): (string | number)[]
}

export function prepareQuery<P extends Parameters, Row>(
  db: Reader,
  build: (db: Reader, parameter: Parameter<P>) => Compilable<Row>,
): PreparedQuery<P> {
  // Kysely carries a value through compilation untouched, so an object can stand for one until the query is bound.
  const parameter = (<Name extends keyof P & string>(name: Name) => new Placeholder(name) as unknown) as Parameter<P>
  const { sql, parameters } = build(db, parameter).compile()
  const values = parameters as readonly (Placeholder | string | number)[]
  return {
    sql,
    bind: (given) =>
      values.map((value) => (value instanceof Placeholder ? (given[value.name] as string | number) : value)),
  }
}
