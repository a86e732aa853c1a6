// A linter that checks nothing passes. So the project's own biome.json lints files that each break one rule
// (test/fixtures/forbidden), and whatever it does not catch is a failure; so is a room whose imports nothing restricts.

import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Gives what went uncaught, a line each, or an empty text. */
export async function proveRules(root: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'lading-check-'))
  try {
    // The overrides of biome.json go by paths under its own folder, so the fixture is linted as a project of its own.
    cpSync(join(root, 'test/fixtures/forbidden'), folder, { recursive: true })
    for (const file of ['biome.json', 'package.json']) copyFileSync(join(root, file), join(folder, file))
    const caught = lint(join(root, 'node_modules/.bin/biome'), folder)
    return [...uncaught(folder, caught), ...unrestrictedRooms(root)].join('\n')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** `<path> <rule>` of every diagnostic. */
function lint(biome: string, folder: string): ReadonlySet<string> {
  const args = ['lint', '--reporter=json', '--colors=off', '--vcs-enabled=false', '--max-diagnostics=none', '.']
  const { stdout, stderr } = spawnSync(biome, args, { cwd: folder, encoding: 'utf8' })
  if (!stdout) throw new Error(`biome gave no report: ${stderr}`)
  // The shape of biome's JSON reporter.
  const report = JSON.parse(stdout) as {
    diagnostics: { severity: string; category: string; location: { path: string } }[]
  }
  const errors = report.diagnostics.filter(({ severity }) => severity === 'error')
  return new Set(errors.map(({ category, location }) => `${location.path} ${category}`))
}

function uncaught(folder: string, caught: ReadonlySet<string>): string[] {
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'))
  const problems = sources.flatMap((path) => {
    const [, rule] = /^\/\/ (?:caught by (\S+)|allowed)\n/.exec(readFileSync(join(folder, path), 'utf8')) ?? []
    const found = [...caught]
      .filter((entry) => entry.startsWith(`${path} `))
      .map((entry) => entry.slice(path.length + 1))
    if (rule) return found.includes(rule) ? [] : [`${path}: ${rule} did not catch it`]
    return found.map((other) => `${path}: ${other} caught what is allowed`)
  })
  return sources.length > 0 ? problems : ['test/fixtures/forbidden holds no sources']
}

function unrestrictedRooms(root: string): string[] {
  const config = readFileSync(join(root, 'biome.json'), 'utf8')
  return readdirSync(join(root, 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !config.includes(`"src/${entry.name}/**"`))
    .map(({ name }) => `src/${name}: biome.json does not say what it may import`)
}
