import type { Metadata, Transaction } from '#metadata/metadata.ts'
import { parseTag, type Tag } from '#names/tag.ts'
import { getRepository, inRepository, type RepositoryKey } from '#registry/repository.ts'
import { readRules } from './cache-rules.ts'
import { refuse } from './refusals.ts'
import { isUnderRule } from './rule-repositories.ts'
import { uncheckedAt } from './rule-settings.ts'
import type { RuleKey } from './rule-status.ts'

/** Asking an upstream about tags before their age is over. */
export interface CacheRefresh {
  /**
   * Makes each cached tag of the repository, or the one, be checked at its next pull, and asks for the checks now. `by` is the ARN of the
   * principal. Answers how many tags.
   *
   * @throws Refusal `RepositoryNotFound`, `TagNotCached`
   */
  refresh(key: RepositoryKey, tag: Tag | undefined, by: string): Promise<number>
  /** The same of all repositories under a rule. @throws Refusal `CacheRuleNotFound` */
  refreshRule(rule: RuleKey, by: string): Promise<number>
}

/** A tag of which the upstream is to be asked soon. */
export interface TagCheck {
  readonly repositoryId: number
  readonly tag: Tag
  readonly by: string
}

const repositoriesAtOnce = 100

export function createCacheRefresh({
  metadata,
  checkSoon,
}: {
  metadata: Metadata
  /** Asks for the job that checks a tag, in the transaction that marks the tag. */
  checkSoon: (trx: Transaction, check: TagCheck) => Promise<void>
}): CacheRefresh {
  async function mark(repositoryId: number, tag: Tag | undefined, by: string): Promise<number> {
    return metadata.transaction(async (trx) => {
      const marked = await trx
        .updateTable('cached_tag')
        .set({ checked_at: uncheckedAt })
        .where('repository_id', '=', repositoryId)
        .$if(tag !== undefined, (query) => query.where('tag', '=', tag ?? ''))
        .returning('tag')
        .execute()
      for (const each of marked) await checkSoon(trx, { repositoryId, tag: parseTag(each.tag), by })
      return marked.length
    })
  }

  return {
    async refresh(key, tag, by) {
      const { id } = await getRepository(metadata.reader, key)
      const count = await mark(id, tag, by)
      if (count === 0 && tag !== undefined) throw refuse('TagNotCached', { ...inRepository(key), tag })
      return count
    },

    async refreshRule(rule, by) {
      const rules = await readRules(metadata.reader, rule.registry)
      if (!rules.some(({ prefix }) => prefix === rule.prefix)) throw refuse('CacheRuleNotFound', rule)
      const prefixes = rules.map(({ prefix }) => prefix)
      let count = 0
      for (let after = 0; ; ) {
        const ids = await metadata.reader
          .selectFrom('repository')
          .select('id')
          .where('id', '>', after)
          .where((eb) => isUnderRule(eb, rule, prefixes))
          .where(({ exists, selectFrom }) =>
            exists(selectFrom('cached_tag').select('tag').whereRef('cached_tag.repository_id', '=', 'repository.id')),
          )
          .orderBy('id')
          .limit(repositoriesAtOnce)
          .execute()
        for (const { id } of ids) count += await mark(id, undefined, by)
        const last = ids.at(-1)
        if (last === undefined) return count
        after = last.id
      }
    },
  }
}
