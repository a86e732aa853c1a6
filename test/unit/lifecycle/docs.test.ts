/** The policies of docs/retention.md, each held against the table that stands below it. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { parseLifecyclePolicy } from '#lifecycle/policy.ts'
import { decide, nameOf, readImages, type WrittenImage } from './cases.ts'

const page = readFileSync(new URL('../../../docs/retention.md', import.meta.url), 'utf8')
const [, section = ''] = /^## Writing a lifecycle policy$(.*?)^## /ms.exec(page) ?? []
/** What the fourth column may say. A word that is misspelt would else be no fact at all. */
const known = /^((pulled|archived|restored) \d+|child of \S+|subject \S+)?$/
const heading = '| image | tags | pushed | | becomes |\n|---|---|---|---|---|\n'

describe('docs/retention.md, "Writing a lifecycle policy"', () => {
  const examples = section.split(/^### /m).filter((part) => part.includes('```json'))
  assert.equal(examples.length, 7)
  for (const example of examples) {
    const [title = ''] = example.split('\n', 1)
    test(title, () => {
      const [, text = ''] = /```json\n(.*?)```/s.exec(example) ?? []
      const [, table = ''] = example.split(heading)
      const rows = [...table.matchAll(/^\|(.*)\|(.*)\|(.*)\|(.*)\|(.*)\|$/gm)].map((cells) =>
        cells.slice(1).map((cell) => cell.trim()),
      )
      assert.ok(rows.length > 3)
      const images: Record<string, WrittenImage & { children: string[] }> = {}
      for (const [name = '', tags = '', pushed, facts = ''] of rows) {
        for (const fact of facts.split(', ')) assert.match(fact, known)
        const factOf = (word: string) => new RegExp(`${word} (\\S+?)(?:,|$)`).exec(facts)?.[1]
        const ageOf = (word: string) => (factOf(word) === undefined ? undefined : Number(factOf(word)))
        images[name] = {
          ...{ tags: tags.split(', ').filter((tag) => tag !== ''), pushed: Number(pushed), children: [] },
          ...{ pulled: ageOf('pulled'), archived: ageOf('archived'), restored: ageOf('restored') },
          subject: factOf('subject'),
        }
        const parent = factOf('child of')
        if (parent !== undefined) images[parent]?.children.push(name)
      }
      const told = decide(parseLifecyclePolicy(text), readImages(images)).map((decision): [string, string] => {
        const name = nameOf(decision.image.digest)
        if (decision.verdict !== 'act') return [name, 'stays']
        const { action, priority } = decision.rule
        return [name, `${action === 'expire' ? 'expires' : 'is archived'} by rule ${priority}`]
      })
      assert.deepEqual(Object.fromEntries(told), Object.fromEntries(rows.map((row) => [row[0], row[4]])))
    })
  }
})
