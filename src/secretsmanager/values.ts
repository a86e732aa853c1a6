import type { Handlers } from '#aws/operation.ts'
import { refuse } from '#secrets/refusals.ts'
import type { SecretValues } from '#secrets/secret-values.ts'
import type { Secrets } from '#secrets/secrets.ts'
import type { Operations } from './model.ts'
import { aboutSecret, authorizedArn, conditionsOf, givenToken, givenValue } from './request.ts'
import { describeValue } from './shapes.ts'

/** Values of secrets, in versions. */
export function valueOperations({
  secrets,
  secretValues,
}: {
  readonly secrets: Secrets
  readonly secretValues: SecretValues
}) {
  const about = { ...aboutSecret(secrets), conditions: conditionsOf }
  return {
    GetSecretValue: {
      ...about,
      handle: async (request) => {
        const { VersionId: version, VersionStage: stage } = request.input
        return describeValue(await secretValues.get(request.registry, authorizedArn(request), { version, stage }))
      },
    },

    PutSecretValue: {
      ...about,
      handle: async (request) => {
        const { input, registry } = request
        const value = givenValue(input)
        if (value === undefined) throw refuse('SecretValueInvalid', { problem: 'none' })
        const token = givenToken(input)
        const put = await secretValues.put(registry, authorizedArn(request), {
          ...{ token, value, stages: input.VersionStages },
        })
        const { secret, stages } = put
        return {
          ARN: secret.arn,
          Name: secret.name,
          VersionId: token,
          ...(stages.length > 0 && { VersionStages: stages }),
        }
      },
    },

    UpdateSecretVersionStage: {
      ...about,
      handle: async (request) => {
        const { VersionStage: stage, RemoveFromVersionId: from, MoveToVersionId: to } = request.input
        const secret = await secretValues.moveStage(request.registry, authorizedArn(request), { stage, from, to })
        return { ARN: secret.arn, Name: secret.name }
      },
    },
  } satisfies Partial<Handlers<Operations>>
}
