/**
 * Replication with Terraform and its AWS provider: rules, the policy and the templates of the destination, and a repository. They are
 * applied, changed and destroyed together, planned again without a difference, and act in between.
 */
import assert from 'node:assert/strict'
import { cp } from 'node:fs/promises'
import { suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type EcrSession, refusalOf, startEcrSession } from '#test/support/ecr-session.ts'
import { image } from '#test/support/images/build.ts'
import { contentOf, settled } from '#test/support/replication.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { needsTerraform, openTerraform } from '#test/support/terraform.ts'

const configuration = fileURLToPath(new URL('../fixtures/terraform/replication', import.meta.url))
const account = '222222222222'
const region = 'eu-central-1'
const name = 'live/app'

suite('replication with Terraform', { ...needsTerraform(), timeout: 540_000 }, () => {
  test('rules, policy, templates and repository are applied, changed and destroyed, and never differ when planned again', async () => {
    await using session = await startEcrSession()
    await using folder = await temporaryFolder()
    const { ecr, server } = session
    const credentials = await server.addAccount(account)
    const destination = session.client({ credentials, region })
    await cp(configuration, folder.path, { recursive: true })
    const terraform = await openTerraform(folder.path, server)
    const { accessKeyId: access_key, secretAccessKey: secret_key } = credentials
    const variables = [
      `-var=endpoint=${server.url}`,
      `-var=destination=${JSON.stringify({ account, access_key, secret_key })}`,
    ]
    const apply = (...further: string[]) => terraform('apply', '-auto-approve', '-no-color', ...variables, ...further)
    /** Terraform ends with 2 if there is a difference. */
    const planAgain = (...further: string[]) =>
      terraform('plan', '-detailed-exitcode', '-no-color', ...variables, ...further)
    await terraform('init', '-no-color')

    assert.match(await apply(), /6 added, 0 changed, 0 destroyed/)
    await planAgain()
    const first = image({ seed: 'first' })
    await session.push(name, first, 'v1')
    assert.deepEqual(await settled(ecr, name, first.digest), [`${account}/${region}: COMPLETE`])
    assert.deepEqual(await contentOf(destination, name), [`${first.digest} v1`])
    assert.deepEqual(await replicaOf(destination), {
      mutability: 'IMMUTABLE',
      tags: [{ Key: 'replica', Value: 'yes' }],
    })

    const changed = '-var=changed=true'
    assert.match(await apply(changed), /0 added, 5 changed, 0 destroyed/)
    await planAgain(changed)
    const second = image({ seed: 'second' })
    await session.push(name, second, 'v2')
    assert.deepEqual(await settled(ecr, name, second.digest), [
      `${server.account}/eu-west-1: COMPLETE`,
      `${account}/${region}: COMPLETE`,
    ])
    const { repositoryCreationTemplates: templates = [] } = await destination.describeRepositoryCreationTemplates({})
    assert.deepEqual(
      templates.map(({ prefix, appliedFor }) => [prefix, appliedFor?.sort()]),
      [
        ['ROOT', ['PULL_THROUGH_CACHE', 'REPLICATION']],
        ['live', ['REPLICATION']],
      ],
    )

    await terraform('destroy', '-auto-approve', '-no-color', ...variables, changed)
    assert.equal(await terraform('state', 'list'), '')
    assert.deepEqual((await ecr.describeRegistry({})).replicationConfiguration, { rules: [] })
    assert.deepEqual((await ecr.describeRepositories({})).repositories, [])
    assert.deepEqual((await destination.describeRepositoryCreationTemplates({})).repositoryCreationTemplates, [])
    assert.equal((await refusalOf(destination.getRegistryPolicy({}))).name, 'RegistryPolicyNotFoundException')
    // The replicas belong to the destination. Nothing that the source deletes is deleted there.
    const replicas = new Set([`${first.digest} v1`, `${second.digest} v2`])
    assert.deepEqual(new Set(await contentOf(destination, name)), replicas)
  })
})

/** What the template made of the replica's repository. */
async function replicaOf(destination: EcrSession['ecr']) {
  const { repositories: [{ imageTagMutability, repositoryArn } = {}] = [] } = await destination.describeRepositories({
    repositoryNames: [name],
  })
  const { tags } = await destination.listTagsForResource({ resourceArn: repositoryArn })
  return { mutability: imageTagMutability, tags }
}
