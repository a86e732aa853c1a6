import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandsOver } from '#test/support/command.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { startEcrSession } from '#test/support/ecr-session.ts'
import { image } from '#test/support/images/build.ts'

eachDatabaseInCi(({ dialect, url }) => {
  test(`what a repository is and holds is told, and which are there if it is not (${dialect})`, async () => {
    await using session = await startEcrSession({ database: await url() })
    const { server, ecr } = session
    const lading = commandsOver(server.environment)
    const repositoryName = await session.repository({ imageTagMutability: 'IMMUTABLE' })
    const [tagged, untagged] = [image({ seed: 'one' }), image({ seed: 'two' })]
    await session.push(repositoryName, tagged, 'v1')
    await session.push(repositoryName, untagged)
    const rules = [
      {
        rulePriority: 1,
        selection: { tagStatus: 'untagged', countType: 'imageCountMoreThan', countNumber: 9 },
        action: { type: 'expire' },
      },
    ]
    await ecr.putLifecyclePolicy({ repositoryName, lifecyclePolicyText: JSON.stringify({ rules }) })

    const listed = (await lading.json('repository', 'list')) as { repositories: { repository: string }[] }
    assert.deepEqual(
      listed.repositories.map(({ repository }) => repository),
      [repositoryName],
    )
    const shown = (await lading.json('repository', 'show', repositoryName)) as Record<string, unknown>
    assert.equal(shown.tagMutability, 'IMMUTABLE')
    assert.deepEqual([shown.images, shown.untaggedImages, shown.tags], [2, 1, 1])
    assert.deepEqual(shown.lifecyclePolicy, { rules })
    assert.equal(shown.policy, undefined)

    const listing = (await lading.json('image', 'list', repositoryName)) as { images: Record<string, unknown>[] }
    assert.deepEqual(
      listing.images.map(({ digest, tags }) => ({ digest, tags })),
      [
        { digest: tagged.digest, tags: ['v1'] },
        { digest: untagged.digest, tags: [] },
      ].sort((a, b) => (a.digest < b.digest ? -1 : 1)),
    )
    assert.match(
      await lading.run('image', 'list', repositoryName, '--tags', 'v1'),
      new RegExp(`^DIGEST .*\n${tagged.digest}  v1 `),
    )
    assert.match(
      await lading.refusal('image', 'list', repositoryName, '--tags', 'v2'),
      /^there is no image with tag v2 in/,
    )
    assert.equal(
      await lading.refusal('repository', 'show', 'team/ap'),
      `there is no repository "team/ap" in account 000000000000, region us-east-1: there is ${repositoryName}`,
    )
  })
})
