import type { Handlers } from '#aws/operation.ts'
import type { ListSecrets } from '#secrets/listing.ts'
import type { SecretValues } from '#secrets/secret-values.ts'
import type { Secrets } from '#secrets/secrets.ts'
import { listingOperations } from './lists.ts'
import type { Operations } from './model.ts'
import { refuse } from './refusals.ts'
import { aboutSecret, authorizedArn, conditionsOf, givenTags, givenToken, givenValue, newSecretArn } from './request.ts'
import { describeSecret } from './shapes.ts'
import { valueOperations } from './values.ts'

export interface SecretsManagerParts {
  readonly secrets: Secrets
  readonly secretValues: SecretValues
  readonly listSecrets: ListSecrets
}

export function secretsManagerOperations(parts: SecretsManagerParts) {
  return {
    ...secretOperations(parts),
    ...valueOperations(parts),
    ...listingOperations(parts),
  } satisfies Handlers<Operations>
}

function secretOperations({ secrets }: SecretsManagerParts) {
  const about = { ...aboutSecret(secrets), conditions: conditionsOf }
  return {
    CreateSecret: {
      resource: newSecretArn,
      named: ({ Name }) => Name,
      conditions: conditionsOf,
      also: ({ Tags = [] }) => (Tags.length > 0 ? ['secretsmanager:TagResource'] : []),
      handle: async ({ input, registry }) => {
        if (input.AddReplicaRegions !== undefined) throw refuse('MemberUnsupported', { member: 'AddReplicaRegions' })
        requireNoType(input)
        const { Name: name, Description: description, KmsKeyId: kmsKey, Tags = [] } = input
        const { secret, version } = await secrets.create(registry, {
          ...{ name, description, kmsKey, tags: givenTags(Tags) },
          ...{ token: givenToken(input), value: givenValue(input) },
        })
        return { ARN: secret.arn, Name: secret.name, VersionId: version }
      },
    },

    UpdateSecret: {
      ...about,
      handle: async (request) => {
        const { input, registry } = request
        requireNoType(input)
        const { Description: description, KmsKeyId: kmsKey } = input
        const change = { description, kmsKey, token: givenToken(input), value: givenValue(input) }
        const { secret, version } = await secrets.update(registry, authorizedArn(request), change)
        return { ARN: secret.arn, Name: secret.name, VersionId: version }
      },
    },

    DescribeSecret: {
      ...about,
      handle: async (request) => describeSecret(await secrets.get(request.registry, authorizedArn(request))),
    },

    GetResourcePolicy: {
      ...about,
      // A secret has none here, so that the answer has no member `ResourcePolicy`, as at AWS.
      handle: async (request) => {
        const { arn, name } = await secrets.getLive(request.registry, authorizedArn(request))
        return { ARN: arn, Name: name }
      },
    },

    DeleteSecret: {
      ...about,
      handle: async (request) => {
        const { RecoveryWindowInDays, ForceDeleteWithoutRecovery: force = false, SecretId } = request.input
        const how = { recoveryDays: RecoveryWindowInDays, force }
        const { secret, purgeAt } = await secrets.delete(request.registry, authorizedArn(request), how)
        const shown = secret === undefined ? { Name: SecretId } : { ARN: secret.arn, Name: secret.name }
        return { ...shown, DeletionDate: new Date(purgeAt) }
      },
    },

    RestoreSecret: {
      ...about,
      handle: async (request) => {
        const { arn, name } = await secrets.restore(request.registry, authorizedArn(request))
        return { ARN: arn, Name: name }
      },
    },

    TagResource: {
      ...about,
      handle: async (request) => {
        await secrets.addTags(request.registry, authorizedArn(request), givenTags(request.input.Tags))
        return {}
      },
    },

    UntagResource: {
      ...about,
      handle: async (request) => {
        await secrets.removeTags(request.registry, authorizedArn(request), request.input.TagKeys)
        return {}
      },
    },
  } satisfies Partial<Handlers<Operations>>
}

/** Types are for secrets that Secrets Manager rotates at another service. @throws Refusal `MemberUnsupported` */
function requireNoType({ Type }: { readonly Type?: string | undefined }): void {
  if (Type) throw refuse('MemberUnsupported', { member: 'Type' })
}
