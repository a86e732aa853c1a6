import { Refusal } from '#lib/refusal.ts'
import type { CreationReason } from './creation-templates.ts'
import type { SettingRefusals } from './refusals.ts'
import type { Repositories } from './repositories.ts'
import type { RepositoryKey } from './repository.ts'

/**
 * Creates a repository by a template for that reason, or else with the defaults. Does nothing if another caller was quicker.
 *
 * @throws Refusal `TemplateRoleMissing`, `QuotaExceeded`
 */
export async function createByTemplate(
  repositories: Pick<Repositories, 'create' | 'createFromTemplate'>,
  key: RepositoryKey,
  reason: CreationReason,
): Promise<void> {
  if (await repositories.createFromTemplate(key, reason)) return
  try {
    await repositories.create(key, {})
  } catch (error) {
    const isThere = 'RepositoryAlreadyExists' satisfies keyof SettingRefusals
    if (!(error instanceof Refusal) || error.code !== isThere) throw error
  }
}
