/**
 * Every error that the API model lists for an operation, by the AWS SDK: its name, its status and its text. What no request can
 * provoke stands in the table with the reason; an error of the model that stands there in neither way fails.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import model from '#ecr/model.json' with { type: 'json' }
import { callOf, type OperationName } from '#test/integration/access/operations.ts'
import { refusalOf } from '#test/support/ecr-session.ts'
import { type Never, openStages, type Provoked } from './stage.ts'
import { errorTable } from './table.ts'

// The names of the model, as the table's type has it.
const entries = Object.entries(errorTable) as [OperationName, Readonly<Record<string, Provoked | Never>>][]

test('the table has every error of every operation, but those that are the fault of the server', () => {
  const told = entries.flatMap(([name, errors]) => Object.keys(errors).map((error) => `${name} ${error}`))
  const listed = Object.entries(model.operations).flatMap(([name, { errors }]) =>
    errors.filter((error) => error !== 'ServerException').map((error) => `${name} ${error}`),
  )
  assert.deepEqual(new Set(told), new Set(listed))
})

describe('errors of the operations', () => {
  let stages: Awaited<ReturnType<typeof openStages>>
  before(async () => {
    stages = await openStages()
  })
  after(() => stages[Symbol.asyncDispose]())

  for (const [name, errors] of entries) {
    test(name, async () => {
      for (const [error, entry] of Object.entries(errors)) {
        if ('never' in entry) continue
        const stage = stages.stage()
        await entry.given?.(stage)
        const { facts } = stage
        const input = typeof entry.input === 'function' ? entry.input(facts) : entry.input
        const message = typeof entry.message === 'function' ? entry.message(facts) : entry.message
        assert.deepEqual(await refusalOf(callOf(stage.ecr, name, input)), { name: error, message, status: 400 })
      }
    })
  }
})
