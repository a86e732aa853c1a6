/** Events of replication, and in which registry each of them is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventEnvelope } from '#events/event.ts'
import { pushImageTo } from '#test/support/ecr-push.ts'
import { startEcrSession } from '#test/support/ecr-session.ts'
import { openEvents } from '#test/support/events.ts'
import { image } from '#test/support/images/build.ts'
import { startPair, startSource, there } from '#test/support/peers/pair.ts'
import { replicateTo, settled } from '#test/support/replication.ts'

const account = '000000000000'
const isReplication = (event: EventEnvelope) => event['detail-type'] === 'ECR Replication Action'
const isOwnFailure = (event: EventEnvelope) => isReplication(event) && event.detail.result === 'FAILED'

function about(repositoryName: string, digest: string, sourceRegion: string) {
  return {
    ...{ 'repository-name': repositoryName, 'image-digest': digest, 'action-type': 'REPLICATE' },
    ...{ 'source-account': account, 'source-region': sourceRegion, 'image-tag': 'v1' },
  }
}

test('within a deployment the registry of the destination has the event', async () => {
  await using session = await startEcrSession()
  const { server } = session
  const source = session.client({ region: 'eu-west-1' })
  await replicateTo(source, [{ region: server.region, registryId: account }])
  const events = await openEvents(server)
  const app = image()
  await source.createRepository({ repositoryName: 'team/app' })
  await pushImageTo(source, 'team/app', app, 'v1')
  const [event] = await events.wait(isReplication)
  assert.deepEqual(event?.resources, [`arn:aws:ecr:${server.region}:${account}:repository/team/app`])
  assert.deepEqual([event?.account, event?.region, event?.source], [account, server.region, 'aws.ecr'])
  assert.deepEqual(event?.detail, { ...about('team/app', app.digest, 'eu-west-1'), result: 'SUCCESS' })
})

test('another Lading records what it receives, and the source what that refuses', async () => {
  await using both = await startPair()
  const { source, destination } = both
  const received = await openEvents(destination.server)
  const sent = await openEvents(source.server)
  const app = image()
  const repositoryName = await source.repository()
  await source.push(repositoryName, app, 'v1')
  const [event, ...further] = await received.wait(isReplication)
  assert.deepEqual(event?.detail, { ...about(repositoryName, app.digest, source.server.region), result: 'SUCCESS' })
  assert.deepEqual(further, [])
  const own = await sent.take(async () => {
    const last = await source.repository()
    await source.push(last, image({ layers: [10] }))
    return last
  })
  assert.deepEqual(own.filter(isReplication), [])
})

test('a refusal of a peer is one event in the registry of the source, with its reason', async () => {
  await using both = await startPair({ entry: { secretAccessKey: 'x'.repeat(40) } })
  const { source } = both
  const events = await openEvents(source.server)
  const app = image()
  const repositoryName = await source.repository()
  await source.push(repositoryName, app, 'v1')
  const [event] = await events.wait(isOwnFailure)
  assert.ok(event)
  const { 'failure-code': code, 'failure-reason': reason, ...detail } = event.detail
  assert.deepEqual(detail, { ...about(repositoryName, app.digest, source.server.region), result: 'FAILED' })
  assert.equal(code, 'UnrecognizedClientException')
  assert.match(String(reason), /refuses the AWS credentials/)
  assert.deepEqual(event.resources, [`arn:aws:ecr:${there.region}:${account}:repository/${repositoryName}`])
  const status = [`${there.registryId}/${there.region}: FAILED UnrecognizedClientException`]
  assert.deepEqual(await settled(source.ecr, repositoryName, app.digest), status)
})

test('a destination account that is neither here nor at a peer is a refusal, with an event at the source', async () => {
  await using source = await startSource([])
  const events = await openEvents(source.server)
  await replicateTo(source.ecr, [{ region: there.region, registryId: '999999999999' }])
  const app = image()
  const repositoryName = await source.repository()
  await source.push(repositoryName, app, 'v1')
  const [status] = await settled(source.ecr, repositoryName, app.digest)
  assert.match(status ?? '', /^999999999999\/eu-central-1: FAILED /)
  const [event] = await events.wait(isOwnFailure)
  assert.deepEqual(event?.resources, [`arn:aws:ecr:eu-central-1:999999999999:repository/${repositoryName}`])
})
