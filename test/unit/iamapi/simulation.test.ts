/** A simulation of many decisions. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { Explanation, Question } from '#iam/explain.ts'
import { rootPrincipal } from '#iam/principal.ts'
import { simulationOperations } from '#iamapi/simulation.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'

test('it makes no further decision once the client is gone', async () => {
  const account = parseAccountId('111111111111')
  const principal = rootPrincipal(account, { accessKeyId: '', accessKeySince: 0 })
  const gone = new AbortController()
  let decisions = 0
  async function explain({ action, resource }: Question): Promise<Explanation> {
    if (++decisions === 3) gone.abort()
    const verdict = { allowed: true, statements: [] } as const
    return {
      principalArn: principal.arn,
      action,
      resource,
      verdict,
      statements: [],
      complete: true,
      presumed: undefined,
    }
  }
  const region = parseRegion('us-east-1')
  const { SimulatePrincipalPolicy } = simulationOperations({ findPrincipal: async () => principal, explain })
  const simulation = SimulatePrincipalPolicy.handle({
    input: { PolicySourceArn: principal.arn, ActionNames: Array.from({ length: 100 }, () => 'ecr:PutImage') },
    ...{ principal, registry: { account, region }, signal: gone.signal, requestId: 'id', resources: [principal.arn] },
    ...{ origin: { host: 'localhost', secure: true }, may: async () => true, require: async () => {} },
    circumstances: { sourceIp: '127.0.0.1', secure: true, userAgent: undefined, region, now: 0 },
  })
  await assert.rejects(simulation, { name: 'AbortError' })
  await setImmediate()
  assert.equal(decisions, 3)
})
