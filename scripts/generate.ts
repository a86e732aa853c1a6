/**
 * Writes the files that follow from the API model: `npm run generate`. With `--check` it writes nothing and fails when a
 * generated file is not what it would write, so that no file and no model drift apart.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { JsonModel, QueryModel } from '../src/aws/api-model.ts'
import { apiTable, servingFiles } from './generate/api-table.ts'
import { departures } from './generate/departures.ts'
import { modelTypes } from './generate/model-types.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(`${root}${path}`, 'utf8')

function formatted(path: string, source: string): string {
  return execFileSync(`${root}node_modules/.bin/biome`, ['format', `--stdin-file-path=${path}`], {
    cwd: root,
    input: source,
    encoding: 'utf8',
  })
}

// Each is the JSON of an API model; its type widens every literal.
const model = JSON.parse(read('src/ecr/model.json')) as JsonModel & { readonly source: string }
const otherModels = ['admin', 'cloudtrail', 'iamapi', 'secretsmanager', 'sts'].map(
  (room) => [`src/${room}/model.ts`, JSON.parse(read(`src/${room}/model.json`)) as JsonModel | QueryModel] as const,
)

const generated: Readonly<Record<string, string>> = {
  'src/ecr/model.ts': formatted('src/ecr/model.ts', modelTypes(model)),
  ...Object.fromEntries(otherModels.map(([path, model]) => [path, formatted(path, modelTypes(model))])),
  'docs/ecr-api.md': apiTable(model, servingFiles(model, `${root}src/ecr`), departures),
}

const checking = process.argv.includes('--check')
for (const [path, content] of Object.entries(generated)) {
  if (existsSync(`${root}${path}`) && read(path) === content) continue
  if (checking) {
    console.error(`${path} is not what the API model gives: run 'npm run generate'`)
    process.exitCode = 1
  } else {
    writeFileSync(`${root}${path}`, content)
    console.log(`wrote ${path}`)
  }
}
