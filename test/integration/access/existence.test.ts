/**
 * Who may not use a repository learns nothing of it on the control plane: the answer for one that is there is, but for names and
 * ids, the same to the byte as that for one that is not. So it is with other accounts, and with registries' settings.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ECR } from '@aws-sdk/client-ecr'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { callOf, cases, type OperationCase, type OperationName, type Target } from './operations.ts'
import { startWorld, type World } from './world.ts'

/** Names of one length, as lengths show too. */
const missing = { repositoryName: 'team/nil', registryId: '999999999999' }

eachDatabaseInCi(({ dialect, url }) => {
  describe(`what strangers learn on the control plane, over ${dialect}`, () => {
    let world: World
    before(async () => {
      world = await startWorld({ database: await url() })
    })
    after(() => world[Symbol.asyncDispose]())

    async function sameFor(ecr: ECR, targets: readonly Target[], concerns: (each: OperationCase) => boolean) {
      const answers = record(ecr)
      let compared = 0
      for (const [name, inputs] of Object.entries(cases) as [OperationName, readonly OperationCase[]][]) {
        for (const each of inputs.filter(concerns)) {
          const shown: unknown[] = []
          for (const target of targets) {
            const refused = { name: 'AccessDeniedException' }
            await assert.rejects(callOf(ecr, name, each.input(target)), refused, `${name} is denied`)
            shown.push(withoutNames(answers.pop()))
          }
          for (const other of shown) assert.deepEqual(other, shown[0], name)
          compared++
        }
      }
      return compared
    }

    test('a user without permission does not learn whether a repository is there', async () => {
      const { own, target } = world
      await own.may()
      const there = { ...target, repositoryName: 'team/app' }
      const elsewhere = { ...target, repositoryName: missing.repositoryName }
      const compared = await sameFor(own.ecr, [there, elsewhere], ({ resource }) => resource === 'repository')
      assert.ok(compared > 30)
    })

    test('nor does a user of another account, whatever its own allows, nor whether the account is there', async () => {
      const { foreign, target } = world
      const { repositoryName, registryId } = missing
      const targets = [target, { ...target, repositoryName }, { ...target, registryId }]
      for (const statements of [[], [{ Effect: 'Allow', Action: '*', Resource: '*' } as const]]) {
        await foreign.may(...statements)
        const compared = await sameFor(foreign.ecr, targets, ({ crosses }) => crosses)
        assert.ok(compared > 30)
      }
    })

    test('whoever may create a repository learns that there is one of that name, and nothing else of it', async () => {
      const { own, target } = world
      const { repositoryName } = target
      await own.may({ Effect: 'Allow', Action: 'ecr:CreateRepository', Resource: '*' })
      await assert.rejects(own.ecr.createRepository({ repositoryName }), { name: 'RepositoryAlreadyExistsException' })
      for (const name of [repositoryName, missing.repositoryName]) {
        await assert.rejects(own.ecr.describeRepositories({ repositoryNames: [name] }), {
          name: 'AccessDeniedException',
        })
      }
    })
  })
})

interface Recorded {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The answers to the client's calls as they came. */
function record(ecr: ECR): Recorded[] {
  const answers: Recorded[] = []
  ecr.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args)
      // What the SDK's HTTP handler answers with; its type tells nothing of it.
      const response = result.response as { statusCode: number; headers: Record<string, string>; body: unknown }
      const chunks: Uint8Array[] = []
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) chunks.push(chunk)
      const bytes = Buffer.concat(chunks)
      answers.push({ status: response.statusCode, headers: response.headers, body: bytes.toString() })
      response.body = new Uint8Array(bytes)
      return result
    },
    { step: 'deserialize', priority: 'low', name: 'recordAnswers', override: true },
  )
  return answers
}

function withoutNames(answer: Recorded | undefined) {
  assert.ok(answer !== undefined, 'an answer was recorded')
  const { date, 'x-amzn-requestid': id, ...headers } = answer.headers
  const body = answer.body.replaceAll(/team\/(?:app|nil)/g, '{name}').replaceAll(/\d{12}/g, '{account}')
  return { status: answer.status, headers, body }
}
