import { readdirSync, readFileSync } from 'node:fs'
import type { ApiModel } from '../../src/aws/api-model.ts'

/**
 * The page that lists every operation of the API model, where those that are served have their handlers, and what they do
 * otherwise than ECR.
 */
export function apiTable(
  model: ApiModel & { readonly source: string },
  served: ReadonlyMap<string, string>,
  departures: Readonly<Record<string, string>>,
): string {
  const names = Object.keys(model.operations).sort((a, b) => (a < b ? -1 : 1))
  const rows = names.map((name) => {
    const file = served.get(name)
    if (file === undefined) return `| ${name} | no | | |`
    const note = departures[name]
    return `| ${name} | yes | [\`${file}\`](../${file}) |${note === undefined ? '' : ` ${note}`} |`
  })
  return `<!-- Generated from src/ecr/model.json, src/ecr/operations.ts and scripts/generate/departures.ts by 'npm run generate'. Do not edit. -->
# The ECR API

Lading knows all ${names.length} operations of the Amazon ECR API (${model.source}) and serves ${served.size} of them. The others
answer \`UnsupportedOperationException\`.

What a served operation does otherwise than ECR stands beside it. For all of them: the root of an account may do everything
in its own registries, and nobody in another account's; calls are not counted, and \`ThrottlingException\` means only that the
bodies of calls take all the memory that they may; a body has at most 1 MiB, but 13 MiB for PutImage and 32 MiB for
UploadLayerPart. Quotas of repositories, images and tags are ECR's defaults.

| operation | served | handler | otherwise than ECR |
|---|---|---|---|
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
