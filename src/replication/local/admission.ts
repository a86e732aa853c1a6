import type { Accounts } from '#iam/accounts.ts'
import { type Authorizer, requireAllowed } from '#iam/authorize.ts'
import type { Principal } from '#iam/principal.ts'
import type { Clock } from '#lib/clock.ts'
import { repositoryArn } from '#names/arn.ts'
import type { Repositories } from '#registry/repositories.ts'
import type { RepositoryKey } from '#registry/repository.ts'
import { createByTemplate } from '#registry/template-creation.ts'
import { refuse } from '#replication/refusals.ts'

/**
 * Whether a repository of this deployment accepts copies from another registry, and its creation (ECR user guide, "Private image
 * replication", "Private registry permissions"). Asked again for each batch, so that a permission ends with the policy that grants it.
 */
export interface Admission {
  /** @throws Refusal `AccessDenied`, `ReplicationAccountMissing` */
  requireAdmitted(principal: Principal, to: RepositoryKey): Promise<void>
  /** Creates the repository if there is none. @throws Refusal `AccessDenied`, `TemplateRoleMissing`, `QuotaExceeded` */
  ensureRepository(principal: Principal, to: RepositoryKey): Promise<void>
}

export interface AdmissionParts {
  readonly accounts: Pick<Accounts, 'find'>
  readonly authorizer: Authorizer
  readonly repositories: Repositories
  readonly clock: Clock
}

/** Of a request that a service of this program makes. */
const asService = { sourceIp: '127.0.0.1', secure: true, userAgent: 'ecr.amazonaws.com' } as const

export function createAdmission({ accounts, authorizer, repositories, clock }: AdmissionParts): Admission {
  async function require(principal: Principal, action: string, { registry, name }: RepositoryKey): Promise<void> {
    const circumstances = { ...asService, region: registry.region, now: clock() }
    const resource = repositoryArn(registry, name)
    requireAllowed(await authorizer.decide({ principal, action, resource, registry, circumstances }))
  }

  return {
    async requireAdmitted(principal, to) {
      const { account } = to.registry
      if ((await accounts.find(account)) === undefined) throw refuse('ReplicationAccountMissing', { account })
      await require(principal, 'ecr:ReplicateImage', to)
    },

    async ensureRepository(principal, to) {
      if ((await repositories.findAll(to.registry, [to.name])).size > 0) return
      await require(principal, 'ecr:CreateRepository', to)
      await createByTemplate(repositories, to, 'REPLICATION')
    },
  }
}
