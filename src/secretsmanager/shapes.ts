import type { ListedSecret } from '#secrets/listing.ts'
import type { FoundValue, Version } from '#secrets/secret-values.ts'
import type {
  DescribeSecretResponse,
  GetSecretValueResponse,
  SecretListEntry,
  SecretVersionsListEntry,
  Tag,
} from './model.ts'

/** Secrets and their versions as the API shows them. */

export function describeSecret(secret: ListedSecret): DescribeSecretResponse {
  const { versions, ...shown } = describe(secret)
  return { ...shown, VersionIdsToStages: versions }
}

export function describeListed(secret: ListedSecret): SecretListEntry {
  const { versions, ...shown } = describe(secret)
  return { ...shown, SecretVersionsToStages: versions }
}

function describe(secret: ListedSecret) {
  const { arn, name, description, kmsKey, tags, stages, createdAt, changedAt, accessedAt, deletedAt } = secret
  return {
    ARN: arn,
    Name: name,
    Description: description,
    KmsKeyId: kmsKey,
    CreatedDate: new Date(createdAt),
    LastChangedDate: new Date(changedAt),
    LastAccessedDate: dateOf(accessedAt),
    DeletedDate: dateOf(deletedAt),
    Tags: describeTags(tags),
    versions: describeStages(stages),
  }
}

export function describeValue({ secret, version, stages, value, createdAt }: FoundValue): GetSecretValueResponse {
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: version,
    ...(value.kind === 'string' ? { SecretString: value.text } : { SecretBinary: value.bytes }),
    VersionStages: stages.length > 0 ? stages : undefined,
    CreatedDate: new Date(createdAt),
  }
}

/** As Secrets Manager calls the key `aws/secretsmanager` in a list of versions. */
const defaultKey = 'DefaultEncryptionKey'

export function describeVersion(version: Version, kmsKey: string | undefined): SecretVersionsListEntry {
  return {
    VersionId: version.id,
    VersionStages: version.stages.length > 0 ? version.stages : undefined,
    CreatedDate: new Date(version.createdAt),
    LastAccessedDate: dateOf(version.accessedAt),
    KmsKeyIds: [kmsKey ?? defaultKey],
  }
}

function dateOf(at: number | undefined): Date | undefined {
  return at === undefined ? undefined : new Date(at)
}

function describeTags(tags: ListedSecret['tags']): Tag[] | undefined {
  const listed = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
  return listed.length > 0 ? listed : undefined
}

/** By version. Nothing where no version has a label. */
function describeStages(stages: ListedSecret['stages']): Record<string, string[]> | undefined {
  const versions = Map.groupBy([...stages], ([, version]) => version)
  if (versions.size === 0) return undefined
  return Object.fromEntries(Array.from(versions, ([version, labels]) => [version, labels.map(([stage]) => stage)]))
}
