import { readdirSync, readFileSync } from 'node:fs'
import type { ApiModel } from '../../src/aws/api-model.ts'

/**
 * The page that lists every operation of the API model, where its handler is, and what it does otherwise than ECR.
 */
export function apiTable(
  model: ApiModel & { readonly source: string },
  files: ReadonlyMap<string, string>,
  departures: Readonly<Record<string, string>>,
): string {
  const names = Object.keys(model.operations).sort((a, b) => (a < b ? -1 : 1))
  const rows = names.map((name) => {
    const file = files.get(name) ?? ''
    const note = departures[name]
    return `| ${name} | [\`${file}\`](../${file}) |${note === undefined ? '' : ` ${note}`} |`
  })
  return `<!-- Generated from src/ecr/model.json, src/ecr/operations.ts and scripts/generate/departures.ts by 'npm run generate'. Do not edit. -->
# The ECR API

Lading serves ${files.size} of the ${names.length} operations of the Amazon ECR API (${model.source}).

What an operation does otherwise than ECR stands beside it. For all of them: calls are not counted, and \`ThrottlingException\`
means only that the bodies of calls take all the memory that they may; a body has at most 1 MiB, but 13 MiB for PutImage and
32 MiB for UploadLayerPart. Quotas are ECR's unless a setting changes them ([quotas](operating.md#quotas)).

| operation | handler | otherwise than ECR |
|---|---|---|
${rows.join('\n')}
`
}

/** The file of \`folder\` that declares each operation's handler, as a path from the project's root. */
export function servingFiles(model: ApiModel, folder: string): Map<string, string> {
  const sources = readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && file !== 'model.ts')
    .map((file) => [file, readFileSync(`${folder}/${file}`, 'utf8')] as const)
  return new Map(
    Object.keys(model.operations).map((name) => {
      const [file] = sources.find(([, source]) => new RegExp(`^ *${name}: \\{$`, 'm').test(source)) ?? []
      if (file === undefined) throw new Error(`no file of src/ecr declares the operation ${name}`)
      return [name, `src/ecr/${file}`]
    }),
  )
}
