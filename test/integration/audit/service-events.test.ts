/** Events that nobody called for are in the trail, in the form in which ECR writes them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createAuditLookup } from '#audit/lookup.ts'
import { createAuditTrail } from '#audit/trail.ts'
import { policyExecutionEvents } from '#ecr/service-events.ts'
import type { PolicyExecution } from '#lifecycle/execution.ts'
import { parseLifecyclePolicy } from '#lifecycle/policy.ts'
import { type AccountId, parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { parseTag } from '#names/tag.ts'
import type { LifecycleImage } from '#registry/lifecycle-images.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { digest, noise } from '#test/support/images/content.ts'

const account = parseAccountId('123456789012')
const region = parseRegion('us-west-2')
const day = 86_400_000
const at = Date.UTC(2020, 2, 12, 20, 22, 12)
const pushedAt = at - 30 * day

const text = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      description: 'remove all images > 2',
      selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 2 },
      action: { type: 'expire' },
    },
  ],
})

function execution(owner: AccountId, actions: number, failures: number): PolicyExecution {
  const policy = parseLifecyclePolicy(text)
  const [rule] = policy.rules
  assert.ok(rule)
  const image = (seed: string, tags: readonly string[]): LifecycleImage => ({
    ...{ digest: digest(noise(seed, 10)), tags: tags.map(parseTag), status: 'ACTIVE', sizeBytes: 1, pushedAt },
    ...{ pulledAt: undefined, archivedAt: undefined, activatedAt: undefined, subject: undefined },
    ...{ indexes: [], inUseBy: [] },
  })
  const indexes = [digest(noise('index', 10))]
  return {
    repository: { registry: { account: owner, region }, name: parseRepositoryName('testrepo') },
    ...{ policy, text, lastEvaluatedAt: undefined, at },
    actions: Array.from({ length: actions }, (_, n) => ({ image: image(`a${n}`, [`v${n}`]), rule })),
    failures: Array.from({ length: failures }, (_, n) => ({ image: image(`b${n}`, []), rule, indexes, inUseBy: [] })),
  }
}

eachDatabase((databases) =>
  describe(`service events on ${databases.dialect}`, () => {
    test('a run of a lifecycle policy is a PolicyExecutionEvent of its registry, nine images each', async (t) => {
      const metadata = await databases.open(t)
      const failed = (error: unknown) => assert.fail(String(error))
      const clock = () => at
      await metadata.transaction((trx) => trx.insertInto('account').values({ id: account, created_at: at }).execute())
      const trail = createAuditTrail({
        metadata,
        clock,
        mostBytes: 0,
        region,
        keptMs: day,
        onError: failed,
        onLost: failed,
      })
      policyExecutionEvents(execution(account, 10, 1)).forEach(trail.recordServiceEvent)
      policyExecutionEvents(execution(parseAccountId('999999999999'), 1, 0)).forEach(trail.recordServiceEvent)
      await trail.stop()

      const lookup = createAuditLookup(metadata)
      const named = { key: 'EventName', value: 'PolicyExecutionEvent' } as const
      const { items } = await lookup.list({ account, region }, { attribute: named, from: at, to: at, limit: 10 })
      const records = items.map(({ record }) => JSON.parse(record)).reverse()
      const images = records.map(({ serviceEventDetails: told }) => [
        told.lifecycleEventImageActions.length,
        told.lifecycleEventFailureDetails.length,
      ])
      assert.deepEqual(images, [
        [9, 0],
        [1, 1],
      ])
      const [, last] = records
      const { eventID, ...record } = last
      assert.match(eventID, /^[0-9a-f-]{36}$/)
      const { policyId, ...policy } = record.serviceEventDetails.lifecycleEventPolicy
      assert.match(policyId, /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
      assert.deepEqual(
        { ...record, serviceEventDetails: { ...record.serviceEventDetails, lifecycleEventPolicy: policy } },
        {
          eventVersion: '1.11',
          userIdentity: { accountId: account, invokedBy: 'AWS Internal' },
          eventTime: '2020-03-12T20:22:12Z',
          eventSource: 'ecr.amazonaws.com',
          eventName: 'PolicyExecutionEvent',
          awsRegion: region,
          sourceIPAddress: 'AWS Internal',
          userAgent: 'AWS Internal',
          requestParameters: null,
          responseElements: null,
          readOnly: true,
          resources: [
            {
              ARN: `arn:aws:ecr:us-west-2:${account}:repository/testrepo`,
              accountId: account,
              type: 'AWS::ECR::Repository',
            },
          ],
          eventType: 'AwsServiceEvent',
          managementEvent: true,
          recipientAccountId: account,
          eventCategory: 'Management',
          serviceEventDetails: {
            repositoryName: 'testrepo',
            lifecycleEventPolicy: {
              lifecycleEventRules: [
                {
                  rulePriority: 1,
                  description: 'remove all images > 2',
                  lifecycleEventSelection: {
                    tagStatus: 'Any',
                    tagPrefixList: [],
                    countType: 'Image count more than',
                    countNumber: 2,
                  },
                  action: 'expire',
                },
              ],
              lastEvaluatedAt: 0,
              policyVersion: 1,
            },
            lifecycleEventImageActions: [
              {
                lifecycleEventImage: {
                  digest: digest(noise('a9', 10)),
                  tagStatus: 'Tagged',
                  tagList: ['v9'],
                  pushedAt,
                },
                rulePriority: 1,
              },
            ],
            lifecycleEventFailureDetails: [
              {
                lifecycleEventImage: {
                  digest: digest(noise('b0', 10)),
                  tagStatus: 'Untagged',
                  tagList: [],
                  pushedAt,
                },
                rulePriority: 1,
                failureCode: 'ImageReferencedByManifestList',
                failureReason: `Requested image referenced by manifest list: [${digest(noise('index', 10))}]`,
              },
            ],
          },
        },
      )
      const [event] = items
      assert.deepEqual(
        [event?.source, event?.readOnly, event?.username, event?.resource],
        ['ecr.amazonaws.com', true, undefined, { type: 'AWS::ECR::Repository', name: 'testrepo' }],
      )
    })
  }),
)
