/** `lading why`: the same answer as the server's, over the database alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { commandsOver } from '#test/support/command.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { startServer } from '#test/support/server.ts'

interface Explained {
  readonly allowed: boolean
  readonly reason: string
  readonly message?: string
}

eachDatabaseInCi(({ dialect, url }) => {
  test(`lading why tells who may do what, and why a pull was denied by the id that it showed (${dialect})`, async () => {
    await using server = await startServer({ database: await url() })
    const lading = commandsOver(server.environment)
    await lading.run('user', 'create', 'alice')
    await lading.run('user', 'attach-policy', 'alice', 'AmazonEC2ContainerRegistryReadOnly')
    const key = (await lading.json('key', 'create', '--user', 'alice')) as {
      accessKeyId: string
      secretAccessKey: string
    }
    const resource = `arn:aws:ecr:${server.region}:${server.account}:repository/team/app`
    const why = async (principal: string, action: string) =>
      (await lading.json('why', '--principal', principal, '--action', action, '--resource', resource)) as Explained
    for (const principal of [`arn:aws:iam::${server.account}:user/alice`, key.accessKeyId]) {
      assert.match((await why(principal, 'ecr:BatchGetImage')).reason, /ReadOnly allows/)
      assert.equal((await why(principal, 'ecr:PutImage')).allowed, false)
    }
    const reason = (action: string) => why('anonymous', action).then((explained) => explained.reason)
    assert.match(await reason('ecr:BatchGetImage'), /^Denied: no resource-based policy allows/)
    assert.match(await reason('ecr:PutImage'), /^Denied: .* of the session policy LADING_ANONYMOUS_PULL denies/)
    assert.match(
      await lading.refusal('why', '--principal', 'x', '--action', 'ecr:PutImage', '--resource', '*'),
      /no principal/,
    )
    assert.match(await lading.refusal('why', '--action', 'ecr:PutImage'), /say --principal/)

    await using client = await openOciClient(server, { credentials: key })
    const { message } = await client.call('DELETE', '/v2/team/app/manifests/v1')
    const [, id = ''] = / \(request id: (\S+)\)$/.exec(message) ?? []
    for (;;) {
      const refused = await lading.json('why', '--request', id).catch(() => undefined)
      if (refused === undefined) {
        await setTimeout(50)
        continue
      }
      const explained = refused as Explained
      assert.equal(`${explained.message} (request id: ${id})`, message)
      assert.equal(explained.allowed, false)
      break
    }
  })
})
