/**
 * The list of all columns of a table, for statements that copy whole rows from one table to another. A list that lacks a column does
 * not compile, so that a new column cannot be lost on such a way.
 *
 *     const tagColumns = allColumns<TagTable>()(['repository_id', 'tag', 'digest', 'moved_at'])
 */
export function allColumns<Table>() {
  return <const Columns extends readonly (keyof Table & string)[]>(
    columns: Columns & Complete<Exclude<keyof Table, Columns[number]>>,
  ): Columns => columns
}

/** The compiler's message names the columns that are missing. */
type Complete<Missing> = [Missing] extends [never] ? unknown : { readonly missing: Missing }
