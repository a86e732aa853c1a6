import { type AccountId, isAccountId } from './account.ts'
import { refuseName } from './refusals.ts'
import { isRegion, type Region } from './region.ts'
import type { Registry } from './registry.ts'
import { isRepositoryName, type RepositoryName } from './repository-name.ts'
import { type RepositoryPrefix, rootPrefix } from './repository-prefix.ts'

/** `arn:aws:ecr:<region>:<account>:repository/<name>` (Service Authorization Reference, Amazon ECR). */
export function repositoryArn({ account, region }: Registry, name: RepositoryName | '*'): string {
  return `arn:aws:ecr:${region}:${account}:repository/${name}`
}

/** The ARN of every repository below a prefix. */
export function repositoriesArn({ account, region }: Registry, prefix: RepositoryPrefix): string {
  const below = prefix === rootPrefix ? '' : `${prefix}/`
  return `arn:aws:ecr:${region}:${account}:repository/${below}*`
}

/** The ARN of a rule of the pull through cache. ECR has none for it. */
export function cacheRuleArn({ account, region }: Registry, prefix: RepositoryPrefix): string {
  return `arn:aws:lading:${region}:${account}:pull-through-cache/${prefix}`
}

/** The ARN of what a cluster reports to be in use; nothing of AWS's. */
export function inUseReportArn({ account, region }: Registry, cluster: string): string {
  return `arn:aws:lading:${region}:${account}:in-use-report/${cluster}`
}

/** The ARN of a webhook; nothing of AWS's. */
export function webhookArn({ account, region }: Registry, name: string): string {
  return `arn:aws:lading:${region}:${account}:webhook/${name}`
}

export interface RepositoryArn {
  readonly account: AccountId
  readonly region: Region
  readonly repository: RepositoryName
}

const repositoryPattern = /^arn:aws:ecr:([^:]*):([^:]*):repository\/(.*)$/

/** The parts of a repository's ARN. @throws Refusal `NameInvalid` */
export function parseRepositoryArn(text: string): RepositoryArn {
  const [, region = '', account = '', repository = ''] = repositoryPattern.exec(text) ?? []
  if (!isRegion(region) || !isAccountId(account) || !isRepositoryName(repository)) {
    throw refuseName('NameInvalid', { kind: 'arn', value: text })
  }
  return { account, region, repository }
}

const arnPattern = /^arn:[^:]+:[^:]+:[^:]*:[^:]*:./s

/** Whether a text has the six parts of an ARN, those for region and account possibly empty (IAM user guide, "IAM ARNs"). */
export function isArn(text: string): boolean {
  return arnPattern.test(text)
}

/** The ARN of an account's root principal. */
export function rootArn(account: AccountId): string {
  return `arn:aws:iam::${account}:root`
}
