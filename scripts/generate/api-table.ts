import { readdirSync, readFileSync } from 'node:fs'
import type { ApiModel } from '../../src/aws/api-model.ts'

/** The page that lists every operation of the API model, and where those that are served have their handlers. */
export function apiTable(model: ApiModel & { readonly source: string }, served: ReadonlyMap<string, string>): string {
  const names = Object.keys(model.operations).sort((a, b) => (a < b ? -1 : 1))
  const rows = names.map((name) => {
    const file = served.get(name)
    return file === undefined ? `| ${name} | no | |` : `| ${name} | yes | [\`${file}\`](../${file}) |`
  })
  return `<!-- Generated from src/ecr/model.json and src/ecr/operations.ts by 'npm run generate'. Do not edit. -->
# The ECR API

Lading knows all ${names.length} operations of the Amazon ECR API (${model.source}) and serves ${served.size} of them. The others
answer \`UnsupportedOperationException\`.

| operation | served | handler |
|---|---|---|
${rows.join('\n')}
`
}

/** The file of \`folder\` that declares each served operation's handler, as a path from the project's root. */
export function servingFiles(served: readonly string[], folder: string): Map<string, string> {
  const sources = readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && file !== 'model.ts')
    .map((file) => [file, readFileSync(`${folder}/${file}`, 'utf8')] as const)
  return new Map(
    served.map((name) => {
      const [file] = sources.find(([, source]) => new RegExp(`^ *${name}: \\{$`, 'm').test(source)) ?? []
      if (file === undefined) throw new Error(`no file of src/ecr declares the served operation ${name}`)
      return [name, `src/ecr/${file}`]
    }),
  )
}
