import type { HandlerRequest } from '#aws/operation.ts'
import type { Principal } from '#iam/principal.ts'
import { repositoryArn } from '#names/arn.ts'
import type { Registry } from '#names/registry.ts'
import type { RepositoryName } from '#names/repository-name.ts'
import { accountOfRole } from '#names/role-arn.ts'
import type { Pusher } from '#registry/create-on-push.ts'
import type { Puller } from '#registry/puller.ts'
import type { RepositoryKey } from '#registry/repository.ts'

/** What most operations have in common: they are about one repository. */
interface RepositoryRequest {
  readonly input: { readonly repositoryName: RepositoryName }
  readonly registry: Registry
}

/** The repository that the caller must be allowed to act on. */
export function repositoryResource({ input, registry }: RepositoryRequest): string {
  return repositoryArn(registry, input.repositoryName)
}

/** The caller as one that pushes to the repository. */
export function pusherOf(
  request: RepositoryRequest & { readonly may: (action: string, resource: string) => Promise<boolean> },
): Pusher {
  return {
    key: repositoryKey(request),
    mayCreate: () => request.may('ecr:CreateRepository', repositoryResource(request)),
  }
}

/** The caller as one that pulls from the repository. */
export function pullerOf(
  request: RepositoryRequest & {
    readonly principal: Principal
    readonly may: (action: string, resource: string) => Promise<boolean>
  },
): Puller {
  const { arn, identityArn } = request.principal
  return { arn, identityArn, may: (action) => request.may(action, repositoryResource(request)) }
}

export function repositoryKey({ input, registry }: RepositoryRequest): RepositoryKey {
  return { registry, name: input.repositoryName }
}

/**
 * Who gives a role to a service must be allowed to pass it on (IAM user guide, "Grant a user permissions to pass a role to an AWS
 * service"). A role of another account the domain refuses anyway.
 *
 * @throws Refusal `AccessDenied`
 */
export async function requirePassRole(
  { registry, require }: Pick<HandlerRequest<unknown>, 'registry' | 'require'>,
  role: string | undefined,
): Promise<void> {
  if (role && accountOfRole(role) === registry.account) await require('iam:PassRole', role)
}
