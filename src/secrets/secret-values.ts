import type { SecretBox } from '#iam/secret-box.ts'
import type { Clock } from '#lib/clock.ts'
import { type Page, pageOf } from '#lib/page.ts'
import type { Metadata, Reader } from '#metadata/metadata.ts'
import type { Registry } from '#names/registry.ts'
import { refuse } from './refusals.ts'
import {
  findSecret,
  lockLiveSecret,
  parseSecret,
  readStages,
  requireLive,
  type Secret,
  type SecretRow,
} from './secret-rows.ts'
import { openValue, type SecretValue } from './secret-value.ts'
import { addVersion, type NewVersion, stagesOfSecret, touch, writeStages } from './secret-versions.ts'
import { currentStage, type StageMove, type Stages, stagesOf, withMove } from './stages.ts'

/** The values of secrets, in versions with staging labels. */
export interface SecretValues {
  /**
   * Of the version with that id or label, by default `AWSCURRENT`.
   *
   * @throws Refusal `SecretNotFound`, `SecretScheduled`, `SecretVersionNotFound`, `SecretStageElsewhere`, `SecretNotDecryptable`
   */
  get(registry: Registry, arn: string, which: Which): Promise<FoundValue>
  /** @throws Refusal `SecretNotFound`, `SecretScheduled` and those of a version */
  put(registry: Registry, arn: string, version: NewVersion): Promise<{ secret: Secret; stages: readonly string[] }>
  /** By id. @throws Refusal `SecretNotFound` */
  list(registry: Registry, arn: string, page: VersionPage): Promise<Page<Version, string> & { secret: Secret }>
  /** @throws Refusal `SecretNotFound`, `SecretScheduled`, `SecretVersionNotFound`, `SecretStageInvalid`, `SecretStagesTooMany` */
  moveStage(registry: Registry, arn: string, move: StageMove): Promise<Secret>
}

export interface Which {
  readonly version?: string | undefined
  readonly stage?: string | undefined
}

export interface FoundValue {
  readonly secret: Secret
  readonly version: string
  readonly stages: readonly string[]
  readonly value: SecretValue
  readonly createdAt: number
}

export interface VersionPage {
  readonly limit: number
  /** The key of an earlier page. */
  readonly after: string | undefined
  /** Whether versions without a label are listed. */
  readonly unlabelled: boolean
}

export interface Version {
  readonly id: string
  readonly stages: readonly string[]
  readonly createdAt: number
  readonly accessedAt: number | undefined
}

const dayMs = 86_400_000

export function createSecretValues(parts: {
  readonly metadata: Metadata
  readonly box: SecretBox
  readonly clock: Clock
}): SecretValues {
  const { metadata, box, clock } = parts
  const { reader } = metadata

  /** Secrets Manager notes the day of the last read. That is at most one write of a version in a day. */
  async function noteAccess({ id }: SecretRow, version: string, accessedAt: number | null): Promise<void> {
    const today = Math.floor(clock() / dayMs) * dayMs
    if (accessedAt === today) return
    await metadata.transaction(async (trx) => {
      await trx.updateTable('secret').set({ accessed_at: today }).where('id', '=', id).execute()
      await trx
        .updateTable('secret_version')
        .set({ accessed_at: today })
        .where('secret_id', '=', id)
        .where('version_id', '=', version)
        .execute()
    })
  }

  return {
    async get(registry, arn, which) {
      const row = await requireSecret(reader, registry, arn)
      requireLive(row)
      const stages = (await readStages(reader, [row.id])).get(row.id) ?? new Map()
      const version = versionMeant(stages, which)
      const found = await findVersion(reader, row, version)
      if (found === undefined) throw refuse('SecretVersionNotFound', { by: 'id', value: version })
      if (which.stage !== undefined && stages.get(which.stage) !== version) throw refuse('SecretStageElsewhere', {})
      const value = openValue(box, found)
      await noteAccess(row, version, found.accessed_at)
      return {
        ...{ secret: parseSecret(row), version, value, createdAt: found.created_at },
        stages: stagesOf(stages, version),
      }
    },

    put: (registry, arn, version) =>
      metadata.transaction(async (trx) => {
        const row = await lockLiveSecret(trx, registry, arn)
        return { secret: parseSecret(row), stages: await addVersion(trx, box, row, version, clock()) }
      }),

    async list(registry, arn, { limit, after = '', unlabelled }) {
      const row = await requireSecret(reader, registry, arn)
      const stages: Stages = (await readStages(reader, [row.id])).get(row.id) ?? new Map()
      const rows = await reader
        .selectFrom('secret_version')
        .select(['version_id', 'created_at', 'accessed_at'])
        .where('secret_id', '=', row.id)
        .where('version_id', '>', after)
        .$if(!unlabelled, (query) => query.where('version_id', 'in', [...stages.values(), '']))
        .orderBy('version_id')
        .limit(limit + 1)
        .execute()
      const versions = rows.map(({ version_id, created_at, accessed_at }) => ({
        ...{ id: version_id, createdAt: created_at, accessedAt: accessed_at ?? undefined },
        stages: stagesOf(stages, version_id),
      }))
      return { ...pageOf(versions, limit, ({ id }) => id), secret: parseSecret(row) }
    },

    moveStage: (registry, arn, move) =>
      metadata.transaction(async (trx) => {
        const row = await lockLiveSecret(trx, registry, arn)
        if (move.to !== undefined && (await findVersion(trx, row, move.to)) === undefined) {
          throw refuse('SecretVersionNotFound', { by: 'id', value: move.to })
        }
        await writeStages(trx, row, withMove(await stagesOfSecret(trx, row), move))
        await touch(trx, row, clock())
        return parseSecret(row)
      }),
  }
}

/** @throws Refusal `SecretNotFound` */
async function requireSecret(reader: Reader, registry: Registry, arn: string): Promise<SecretRow> {
  const row = await findSecret(reader, registry, arn)
  if (row === undefined) throw refuse('SecretNotFound', {})
  return row
}

/** @throws Refusal `SecretVersionNotFound` */
function versionMeant(stages: Stages, { version, stage }: Which): string {
  if (version !== undefined) return version
  const label = stage ?? currentStage
  const labelled = stages.get(label)
  if (labelled === undefined) throw refuse('SecretVersionNotFound', { by: 'stage', value: label })
  return labelled
}

function findVersion(reader: Reader, { id }: SecretRow, version: string) {
  return reader
    .selectFrom('secret_version')
    .select(['kind', 'sealed', 'created_at', 'accessed_at'])
    .where('secret_id', '=', id)
    .where('version_id', '=', version)
    .executeTakeFirst()
}
