/** `lading replication sync` and `verify` within a deployment: what is sent, what is not, and what differs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandsOver } from '#test/support/command.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { type EcrSession, startEcrSession } from '#test/support/ecr-session.ts'
import { artifact, image, index } from '#test/support/images/build.ts'
import { contentOf, replicateTo, settled } from '#test/support/replication.ts'

const near = { region: 'eu-west-1', registryId: '000000000000' }
const destination = '000000000000/eu-west-1'

function commandsOf({ server }: EcrSession) {
  return commandsOver({
    ...server.environment,
    AWS_ENDPOINT_URL: server.url,
    AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    AWS_REGION: server.region,
  })
}

interface Shown {
  readonly runs: readonly Record<string, unknown>[]
}

eachDatabase(({ dialect, url }) => {
  test(`a back-fill sends what was there before the rule, and nothing that the destination deleted (${dialect})`, async () => {
    await using session = await startEcrSession({ database: await url() })
    const { ecr } = session
    const there = session.client({ region: near.region })
    const lading = commandsOf(session)
    const only = async (...words: string[]) => {
      const { runs } = (await lading.json('replication', ...words, '--wait')) as Shown
      assert.equal(runs.length, 1)
      return runs[0]
    }

    const repositoryName = await session.repository()
    const other = await session.repository()
    const tagged = image({ seed: 'tagged' })
    const untagged = image({ seed: 'untagged' })
    const platforms = index({ children: [image({ seed: 'child' })] })
    const signature = artifact({ artifactType: 'application/vnd.example.signature', subject: tagged })
    const archived = image({ seed: 'archived' })
    await session.push(repositoryName, tagged, 'v1')
    await session.push(repositoryName, tagged, 'latest')
    await session.push(repositoryName, untagged)
    await session.push(repositoryName, platforms, 'multi')
    await session.push(repositoryName, signature)
    await session.push(repositoryName, archived, 'old')
    await ecr.updateImageStorageClass({
      ...{ repositoryName, imageId: { imageDigest: archived.digest }, targetStorageClass: 'ARCHIVE' },
    })
    await session.push(other, tagged, 'v1')

    assert.match(
      await lading.refusal('replication', 'sync'),
      /^The registry '000000000000' in us-east-1 has no replication rules$/,
    )
    await replicateTo(ecr, [near], ['team/app-1'])

    const counted = await only('sync', '--dry-run')
    assert.partialDeepStrictEqual(counted, { kind: 'dry run', status: 'complete', listed: 5, toSend: 5, sizeBytes: 0 })
    assert.equal(await contentOf(there, repositoryName), undefined)
    assert.partialDeepStrictEqual(await only('sync', '--tag', 'v*'), { status: 'complete', listed: 2, toSend: 2 })
    assert.deepEqual(
      await contentOf(there, repositoryName),
      [`${signature.digest}`, `${tagged.digest} latest,v1`].sort((a, b) => (a < b ? -1 : 1)),
    )
    assert.partialDeepStrictEqual(await only('sync'), { status: 'complete', listed: 5, present: 2, toSend: 3 })
    assert.deepEqual(await contentOf(there, repositoryName), await contentOf(ecr, repositoryName))
    assert.equal(await contentOf(there, other), undefined)
    assert.deepEqual(await settled(ecr, repositoryName, untagged.digest), [`${destination}: COMPLETE`])
    assert.partialDeepStrictEqual(await only('sync'), { listed: 5, present: 5, toSend: 0 })

    await there.batchDeleteImage({
      repositoryName,
      imageIds: [{ imageDigest: untagged.digest }, { imageTag: 'latest' }],
    })
    const again = await only('sync')
    assert.partialDeepStrictEqual(again, { toSend: 0, deletedThere: 1, tagsDeletedThere: 1 })
    assert.deepEqual(await lading.json('replication', 'findings', String(again?.run)), {
      findings: [
        { kind: 'deleted', repository: repositoryName, digest: untagged.digest },
        { kind: 'deleted', repository: repositoryName, tag: 'latest', digest: tagged.digest },
      ].sort((a, b) => (a.digest < b.digest ? -1 : 1)),
    })
    const repaired = await only('verify', '--repair')
    assert.partialDeepStrictEqual(repaired, { kind: 'verify', toSend: 0, deletedThere: 1, missing: 0 })
    assert.ok(!(await contentOf(there, repositoryName))?.some((line) => line.startsWith(untagged.digest)))
    const { runs } = (await lading.json('replication', 'runs')) as Shown
    assert.equal(runs.length, 6)
    assert.match(await lading.run('replication', 'runs'), /^RUN +KIND +DESTINATION +STATUS +LISTED /)
  })

  test(`a verification finds what differs, says why, and repairs what is missing (${dialect})`, async () => {
    await using session = await startEcrSession({ database: await url() })
    const { ecr } = session
    const there = session.client({ region: near.region })
    const lading = commandsOf(session)
    const repositoryName = await session.repository()
    const [before, both, mine, theirs] = ['before', 'both', 'mine', 'theirs'].map((seed) => image({ seed }))
    assert(before && both && mine && theirs)
    await session.push(repositoryName, before, 'before')
    await replicateTo(ecr, [near])
    await session.push(repositoryName, both, 'both')
    await settled(ecr, repositoryName, both.digest)
    await there.putImageTagMutability({ repositoryName, imageTagMutability: 'IMMUTABLE' })
    await session.push(repositoryName, mine, 'both')
    await settled(ecr, repositoryName, mine.digest)

    const found = await lading.ended('replication', 'verify', '--wait', '--json')
    assert.equal(found.code, 2, found.errors)
    const [run] = (JSON.parse(found.output) as Shown).runs
    assert.partialDeepStrictEqual(run, { status: 'complete', listed: 3, present: 2, missing: 1, tagsDiffering: 1 })
    const { findings } = (await lading.json('replication', 'findings', String(run?.run))) as {
      findings: Record<string, unknown>[]
    }
    assert.deepEqual(
      findings.sort((a) => (a.kind === 'missing' ? -1 : 1)),
      [
        { kind: 'missing', repository: repositoryName, digest: before.digest },
        {
          ...{ kind: 'differs', repository: repositoryName, tag: 'both', digest: mine.digest },
          destinationDigest: both.digest,
          reason: 'the tag was sent: it is immutable there, or a later push there moved it',
        },
      ],
    )

    const { runs } = (await lading.json('replication', 'verify', '--repair', '--wait')) as Shown
    assert.partialDeepStrictEqual(runs[0], { status: 'complete', missing: 1, toSend: 1, failed: 0 })
    assert.ok((await contentOf(there, repositoryName))?.includes(`${before.digest} before`))
    assert.deepEqual(await settled(ecr, repositoryName, before.digest), [`${destination}: COMPLETE`])
  })
})
