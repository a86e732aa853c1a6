import type { IAM } from '@aws-sdk/client-iam'
import type { Limit } from '../harness/figure.ts'
import { type LadingServer, startLading } from '../harness/lading.ts'

const groups = 10
const policiesEach = 10
const decisions = 200
/** As many characters as a managed policy and the context of a simulation may have. */
const longestPolicy = 6_144
const text = `z${'a'.repeat(1_999)}`

/** Alike in that no pattern matches, and each finds out late: in V8's search, in ours by places, in ours by words. */
const patterns = ['*aaaaaz*', '*?z*', `*?${'a'.repeat(15)}z*`, `*${'?a'.repeat(250)}z*`, `*?${'a'.repeat(1_000)}z*`]

/**
 * How long others wait at most while one call simulates 200 decisions by the slowest policies that the quotas permit: those of a
 * user in ten groups, all of them denials, so that none is left out. Measured by requests without a signature, one after another.
 */
export const worstPolicies: Limit = {
  name: 'worst-policies',
  title: 'longest wait beside 200 decisions of the worst policies',
  unit: 's',
  atMost: 0.05,
  async measure() {
    await using server = await startLading()
    const PolicySourceArn = await createUser(server.iam)
    const simulate = (count: number) =>
      server.iam.simulatePrincipalPolicy({
        ...{ PolicySourceArn, ActionNames: Array.from({ length: count }, (_, index) => `ecr:Action${index}`) },
        ContextEntries: [{ ContextKeyName: 'bench:text', ContextKeyType: 'string', ContextKeyValues: [text] }],
      })
    for (let count = 0; count < 100; count++) await secondsOf(server)
    let done = false
    const simulation = simulate(decisions).finally(() => {
      done = true
    })
    let longest = 0
    while (!done) longest = Math.max(longest, await secondsOf(server))
    await simulation
    return longest
  },
}

async function secondsOf({ port }: LadingServer): Promise<number> {
  const startedAt = performance.now()
  await (await fetch(`http://127.0.0.1:${port}/v2/`)).arrayBuffer()
  return (performance.now() - startedAt) / 1000
}

async function createUser(iam: IAM): Promise<string> {
  const { User } = await iam.createUser({ UserName: 'worst' })
  for (let group = 0; group < groups; group++) {
    const GroupName = `group-${group}`
    await iam.createGroup({ GroupName })
    await iam.addUserToGroup({ GroupName, UserName: 'worst' })
    for (let index = 0; index < policiesEach; index++) {
      const pattern = patterns[index % patterns.length] ?? ''
      const PolicyName = `${GroupName}-${index}`
      const { Policy } = await iam.createPolicy({ PolicyName, PolicyDocument: documentOf(pattern) })
      await iam.attachGroupPolicy({ GroupName, PolicyArn: Policy?.Arn })
    }
  }
  return User?.Arn ?? ''
}

function documentOf(pattern: string): string {
  const document = (count: number) => {
    const values = Array.from({ length: count }, () => pattern)
    const statement = {
      Effect: 'Deny',
      Action: '*',
      Resource: '*',
      Condition: { StringLike: { 'bench:text': values } },
    }
    return JSON.stringify({ Version: '2012-10-17', Statement: statement })
  }
  return document(Math.floor((longestPolicy - document(0).length) / (pattern.length + 3)))
}
