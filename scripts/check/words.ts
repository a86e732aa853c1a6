// Plain words in new and changed text: a line with a word of the list fails, unless it is in `old-words.txt`, which has
// the hashes of lines that are older than this check. The file only shrinks: `node scripts/check/words.ts --prune` removes
// the lines that are gone.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const banned =
  /\b(?:whoever|whomever|whom|whose|nobody|somebody|anybody|anew|whatever|lest|thereby|be it|be they|be those|had better|for want of)\b/i

const read = ['*.md', '*.ts', '*.js', '*.py', '*.tf', '*.sh', '*.yaml', 'test/vectors', '.ci/run']

/** Texts of other authors, what is generated from checked text, and this list of words with its fixture. */
const exceptions = ['src/*/model.ts', 'docs/ecr-api.md', 'scripts/check/words.ts', 'test/fixtures/words/*']

const oldWords = 'scripts/check/old-words.txt'

interface Found {
  readonly path: string
  readonly line: number
  readonly word: string
  readonly hash: string
}

/** What is wrong, a line each, or an empty text. */
export async function checkWords(root: string): Promise<string> {
  const known = readHashes(root)
  const fresh = trackedFiles(root)
    .flatMap((path) => findWords(path, readFileSync(join(root, path), 'utf8')))
    .filter(({ hash }) => !known.has(hash))
  return fresh.map(({ path, line, word }) => `${path}:${line}: say it without "${word}"`).join('\n')
}

/** The fixture names the word that must be found in each of its lines, or none. Gives what went uncaught. */
export async function proveWords(root: string): Promise<string> {
  const path = 'test/fixtures/words/lines.txt'
  const lines = readFileSync(join(root, path), 'utf8').trimEnd().split('\n')
  const wrong = lines.flatMap((line, index) => {
    const [expected = '', text = ''] = line.split('|')
    const word = findWords(path, text)[0]?.word.toLowerCase() ?? ''
    return word === expected.trim() ? [] : [`${path}:${index + 1}: found "${word}" instead of "${expected.trim()}"`]
  })
  return lines.length > 1 ? wrong.join('\n') : `${path} holds no lines`
}

function findWords(path: string, text: string): Found[] {
  return text.split('\n').flatMap((content, index) => {
    const word = banned.exec(content)?.[0]
    return word === undefined ? [] : [{ path, line: index + 1, word, hash: hashOf(content) }]
  })
}

/** Of the line without its indentation, so that moved code stays known. */
function hashOf(line: string): string {
  return createHash('sha256').update(line.trim()).digest('hex').slice(0, 12)
}

function trackedFiles(root: string): string[] {
  const patterns = [...read, ...exceptions.map((pattern) => `:(exclude,glob)${pattern}`)]
  const { status, stdout, stderr } = spawnSync('git', ['ls-files', '-z', '--', ...patterns], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 16 * 1024 * 1024,
  })
  if (status !== 0) throw new Error(`git lists no files: ${stderr}`)
  // A file that is deleted and not committed yet is still listed.
  return stdout.split('\0').filter((path) => path !== '' && existsSync(join(root, path)))
}

function readHashes(root: string): ReadonlySet<string> {
  return new Set(readFileSync(join(root, oldWords), 'utf8').trimEnd().split('\n'))
}

if (import.meta.main) {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  if (!process.argv.includes('--prune')) throw new Error('expected --prune')
  const present = new Set(
    trackedFiles(root).flatMap((path) =>
      findWords(path, readFileSync(join(root, path), 'utf8')).map(({ hash }) => hash),
    ),
  )
  const kept = [...readHashes(root)].filter((hash) => present.has(hash))
  writeFileSync(join(root, oldWords), `${kept.join('\n')}\n`)
}
