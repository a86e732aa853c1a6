/** Secrets by the AWS SDK: what is created is read, changed, listed, deleted and restored as by Secrets Manager. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { ResourceNotFoundException, type SecretsManager } from '@aws-sdk/client-secrets-manager'
import { eachDatabase } from '#test/support/databases.ts'
import { answerOf, refusalOf } from '#test/support/ecr-session.ts'
import { type SecretsSession, startSecretsSession } from '#test/support/secrets-session.ts'

const day = 86_400_000

const notFound = {
  name: 'ResourceNotFoundException',
  message: "Secrets Manager can't find the specified secret.",
  status: 400,
}
const scheduled = {
  name: 'InvalidRequestException',
  message: "You can't perform this operation on the secret because it was marked for deletion.",
  status: 400,
}

eachDatabase(({ dialect, url }) => {
  describe(`secrets by the SDK (${dialect})`, () => {
    let session: SecretsSession
    const now = Date.now()
    before(async () => {
      session = await startSecretsSession({ database: await url(), clock: () => now })
    })
    after(() => session[Symbol.asyncDispose]())

    test('a secret is found by name, by its ARN and by its ARN without the random characters', async () => {
      const { secrets, server } = session
      const Name = session.name()
      const { ARN = '', VersionId } = await secrets.createSecret({ Name, SecretString: 'first' })
      assert.match(
        ARN,
        new RegExp(`^arn:aws:secretsmanager:us-east-1:${server.account}:secret:${Name}-[A-Za-z0-9]{6}$`),
      )
      for (const SecretId of [Name, ARN, ARN.slice(0, -7)]) {
        assert.deepEqual(await answerOf(secrets.getSecretValue({ SecretId })), {
          ...{ ARN, Name, VersionId, SecretString: 'first', VersionStages: ['AWSCURRENT'] },
          CreatedDate: new Date(now),
        })
      }
      const wrong = [
        `${Name}x`,
        `${ARN.slice(0, -1)}-`,
        `${ARN}x`,
        ARN.replace('us-east-1', 'eu-west-1'),
        'other',
        'arn:x',
      ]
      for (const SecretId of wrong) assert.deepEqual(await refusalOf(secrets.getSecretValue({ SecretId })), notFound)
    })

    test('a secret that is scheduled for deletion refuses all but its description, and comes back whole', async () => {
      const { secrets } = session
      const Name = session.name()
      const { ARN } = await secrets.createSecret({ Name, SecretString: 'first' })
      const SecretId = Name
      const deleted = await answerOf(secrets.deleteSecret({ SecretId, RecoveryWindowInDays: 7 }))
      assert.deepEqual(deleted, { ARN, Name, DeletionDate: new Date(now + 7 * day) })
      const refused = [
        () => secrets.getSecretValue({ SecretId }),
        () => secrets.putSecretValue({ SecretId, SecretString: 'second' }),
        () => secrets.updateSecret({ SecretId, Description: 'changed' }),
        () => secrets.tagResource({ SecretId, Tags: [{ Key: 'a', Value: 'b' }] }),
        () => secrets.untagResource({ SecretId, TagKeys: ['a'] }),
        () => secrets.getResourcePolicy({ SecretId }),
        () => secrets.deleteSecret({ SecretId }),
      ]
      for (const call of refused) assert.deepEqual(await refusalOf(call()), scheduled)
      assert.deepEqual(await refusalOf(secrets.createSecret({ Name })), {
        ...scheduled,
        message: "You can't create this secret because a secret with this name is already scheduled for deletion.",
      })
      assert.deepEqual((await secrets.describeSecret({ SecretId })).DeletedDate, new Date(now))
      const names = async (IncludePlannedDeletion: boolean) => {
        const { SecretList = [] } = await secrets.listSecrets({ IncludePlannedDeletion })
        return SecretList.map((listed) => listed.Name)
      }
      assert.equal((await names(false)).includes(Name), false)
      assert.equal((await names(true)).includes(Name), true)
      assert.deepEqual(await answerOf(secrets.restoreSecret({ SecretId })), { ARN, Name })
      assert.equal((await secrets.getSecretValue({ SecretId })).SecretString, 'first')
      assert.equal((await secrets.describeSecret({ SecretId })).DeletedDate, undefined)
    })

    test('a secret is deleted for good once its recovery window is over, and no earlier', async () => {
      let later = 0
      await using moved = await startSecretsSession({ database: await url(), clock: () => Date.now() + later })
      const { secrets } = moved
      // The SDK would set it back by the time of the machine, which answers carry.
      Object.defineProperty(secrets.config, 'systemClockOffset', { get: () => later, set: () => {} })
      const [SecretId, other] = [moved.name(), moved.name()]
      for (const Name of [SecretId, other]) await secrets.createSecret({ Name, SecretString: 'first' })
      await secrets.deleteSecret({ SecretId })
      await secrets.deleteSecret({ SecretId: other, RecoveryWindowInDays: 7 })
      later += 7 * day + 1_000
      await untilGone(secrets, other)
      assert.notEqual((await secrets.describeSecret({ SecretId })).DeletedDate, undefined)
      later += 23 * day
      await untilGone(secrets, SecretId)
      assert.deepEqual(await refusalOf(secrets.restoreSecret({ SecretId })), notFound)
    })

    test('a name outside of ecr-pullthroughcache, and other features of Secrets Manager, are refused with the reason', async () => {
      const { secrets } = session
      const refused = (name: string, message: string) => ({ name, message, status: 400 })
      for (const Name of ['database/password', 'ecr-pullthroughcache', 'ecr-pullthroughcache/']) {
        assert.deepEqual(
          await refusalOf(secrets.createSecret({ Name })),
          refused(
            'ValidationException',
            "Invalid name. Lading keeps only secrets for upstream registries, and the names of these begin with 'ecr-pullthroughcache/'.",
          ),
        )
      }
      const { message } = await refusalOf(secrets.createSecret({ Name: 'ecr-pullthroughcache/a b' }))
      assert.match(message, /^Invalid name\. Must be a valid name containing alphanumeric characters/)
      const Name = session.name()
      const AddReplicaRegions = [{ Region: 'eu-west-1' }]
      assert.deepEqual(
        await refusalOf(secrets.createSecret({ Name, AddReplicaRegions })),
        refused('InvalidParameterException', 'Lading does not support AddReplicaRegions.'),
      )
      assert.equal((await refusalOf(secrets.rotateSecret({ SecretId: Name }))).name, 'UnknownOperationException')
    })

    test('texts that a database cannot hold are refused, or name no secret', async () => {
      const { secrets } = session
      const { Name: SecretId = '' } = await secrets.createSecret({ Name: session.name(), SecretString: 'a\0b' })
      assert.equal((await secrets.getSecretValue({ SecretId })).SecretString, 'a\0b')
      const long = '\0'.repeat(32)
      const invalid = [
        () => secrets.createSecret({ Name: session.name(), Description: 'a\0' }),
        () => secrets.updateSecret({ SecretId, KmsKeyId: 'a\0' }),
        () => secrets.putSecretValue({ SecretId, SecretString: 'b', ClientRequestToken: long }),
        () => secrets.putSecretValue({ SecretId, SecretString: 'b', VersionStages: ['a\0'] }),
        () => secrets.getSecretValue({ SecretId, VersionId: long }),
        () => secrets.createSecret({ Name: 'ecr-pullthroughcache/a\0' }),
      ]
      for (const call of invalid) assert.equal((await refusalOf(call())).name, 'ValidationException')
      for (const gone of ['a\0', `arn:aws:secretsmanager:us-east-1:${session.server.account}:secret:a\0-AbCdEf`]) {
        assert.deepEqual(await refusalOf(secrets.getSecretValue({ SecretId: gone })), notFound)
      }
      const Tags = [{ Key: 'a\0', Value: 'b\0' }]
      await secrets.tagResource({ SecretId, Tags })
      assert.deepEqual((await secrets.describeSecret({ SecretId })).Tags, Tags)
    })

    test('a deletion takes a window of 7 to 30 days, or none if it is forced', async () => {
      const { secrets } = session
      const { Name: SecretId = '' } = await secrets.createSecret({ Name: session.name() })
      for (const RecoveryWindowInDays of [6, 31]) {
        assert.deepEqual(await refusalOf(secrets.deleteSecret({ SecretId, RecoveryWindowInDays })), {
          name: 'InvalidParameterException',
          message: 'The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).',
          status: 400,
        })
      }
      const both = { SecretId, RecoveryWindowInDays: 7, ForceDeleteWithoutRecovery: true }
      assert.deepEqual(await refusalOf(secrets.deleteSecret(both)), {
        name: 'InvalidParameterException',
        message: "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
        status: 400,
      })
      const { DeletionDate } = await secrets.deleteSecret({ SecretId })
      assert.ok(DeletionDate && DeletionDate.getTime() - Date.now() > 29 * day)
      await secrets.deleteSecret({ SecretId, ForceDeleteWithoutRecovery: true })
      assert.deepEqual(await refusalOf(secrets.describeSecret({ SecretId })), notFound)
    })

    test('a deleted secret is gone at once where that is forced, and its name is free', async () => {
      const { secrets } = session
      const Name = session.name()
      const first = await secrets.createSecret({ Name, SecretString: 'first' })
      const deleted = await answerOf(secrets.deleteSecret({ SecretId: Name, ForceDeleteWithoutRecovery: true }))
      assert.deepEqual(deleted, { ARN: first.ARN, Name, DeletionDate: new Date(now) })
      assert.deepEqual(await refusalOf(secrets.describeSecret({ SecretId: Name })), notFound)
      const second = await secrets.createSecret({ Name, SecretString: 'second' })
      assert.notEqual(second.ARN, first.ARN)
      assert.deepEqual(await refusalOf(secrets.getSecretValue({ SecretId: first.ARN })), notFound)
    })
  })
})

async function untilGone(secrets: SecretsManager, SecretId: string): Promise<void> {
  for (;;) {
    const refusal: unknown = await secrets.describeSecret({ SecretId }).then(
      () => undefined,
      (error) => error,
    )
    if (refusal instanceof ResourceNotFoundException) return
    assert.equal(refusal, undefined)
    await setTimeout(50)
  }
}
