import type { HandlerRequest, Handlers } from '#aws/operation.ts'
import { repositoriesArn } from '#names/arn.ts'
import { isRepositoryPrefix, parseRepositoryPrefix, type RepositoryPrefix } from '#names/repository-prefix.ts'
import type { CreationTemplate, CreationTemplates, TemplateChange } from '#registry/creation-templates.ts'
import type {
  Operations,
  RepositoryCreationTemplate,
  UpdateRepositoryCreationTemplateRequest as TemplateInput,
} from './model.ts'
import { openPage, refusePaging } from './paging.ts'
import { requirePassRole } from './request.ts'
import { describeResourceTags, describeTagMutability, filtersOf, resourceTagsOf } from './shapes.ts'

/** Templates for repositories that pushes, the pull through cache and replication make. */
export interface TemplateParts {
  readonly creationTemplates: CreationTemplates
}

export function templateOperations({ creationTemplates }: TemplateParts) {
  return {
    CreateRepositoryCreationTemplate: {
      resource: () => '*',
      handle: async (request) => {
        const { input, registry } = request
        const prefix = parseRepositoryPrefix(input.prefix)
        await requireDependents(request, prefix)
        return answerOf(await creationTemplates.create(registry, prefix, changeOf(input)))
      },
    },

    UpdateRepositoryCreationTemplate: {
      resource: () => '*',
      handle: async (request) => {
        const { input, registry } = request
        const prefix = parseRepositoryPrefix(input.prefix)
        await requireDependents(request, prefix)
        return answerOf(await creationTemplates.update(registry, prefix, changeOf(input)))
      },
    },

    DeleteRepositoryCreationTemplate: {
      resource: () => '*',
      handle: async ({ input, registry }) =>
        answerOf(await creationTemplates.delete(registry, parseRepositoryPrefix(input.prefix))),
    },

    DescribeRepositoryCreationTemplates: {
      resource: () => '*',
      handle: async ({ input, registry }) => {
        if (input.prefixes !== undefined) {
          refusePaging(input, 'prefixes')
          const prefixes = [...new Set(input.prefixes.map(parseRepositoryPrefix))]
          const found = await creationTemplates.findAll(registry, prefixes)
          return { registryId: registry.account, repositoryCreationTemplates: found.map(describeTemplate) }
        }
        const page = openPage(input, ['DescribeRepositoryCreationTemplates', registry], [isRepositoryPrefix])
        const { items, next } = await creationTemplates.list(registry, { limit: page.limit, after: page.after?.[0] })
        return {
          registryId: registry.account,
          repositoryCreationTemplates: items.map(describeTemplate),
          nextToken: page.nextToken(next === undefined ? undefined : [next]),
        }
      },
    },
  } satisfies Handlers<
    Operations,
    | 'CreateRepositoryCreationTemplate'
    | 'UpdateRepositoryCreationTemplate'
    | 'DeleteRepositoryCreationTemplate'
    | 'DescribeRepositoryCreationTemplates'
  >
}

/**
 * What a template gives to repositories its author must be allowed to give them (Service Authorization Reference, Amazon ECR,
 * dependent actions of CreateRepositoryCreationTemplate), or whoever may write templates could grant itself anything.
 *
 * @throws Refusal `AccessDenied`
 */
async function requireDependents(request: HandlerRequest<TemplateInput>, prefix: RepositoryPrefix): Promise<void> {
  const { input, registry, require } = request
  const covered = repositoriesArn(registry, prefix)
  if (input.repositoryPolicy) await require('ecr:SetRepositoryPolicy', covered)
  if (input.lifecyclePolicy) await require('ecr:PutLifecyclePolicy', covered)
  if (input.resourceTags?.length) await require('ecr:TagResource', covered)
  await requirePassRole(request, input.customRoleArn)
}

function changeOf(input: TemplateInput): TemplateChange {
  const { encryptionConfiguration: encryption } = input
  return {
    appliedFor: input.appliedFor,
    tagMutabilityMode: input.imageTagMutability,
    tagMutabilityExclusions: filtersOf(input.imageTagMutabilityExclusionFilters),
    // The model admits an empty key, which is none.
    encryption: encryption && { type: encryption.encryptionType, kmsKey: encryption.kmsKey || undefined },
    resourceTags: input.resourceTags && resourceTagsOf(input.resourceTags),
    description: input.description,
    repositoryPolicy: input.repositoryPolicy,
    lifecyclePolicy: input.lifecyclePolicy,
    customRoleArn: input.customRoleArn,
  }
}

function answerOf(template: CreationTemplate) {
  return { registryId: template.registry.account, repositoryCreationTemplate: describeTemplate(template) }
}

function describeTemplate(template: CreationTemplate): RepositoryCreationTemplate {
  const { prefix, description, repositoryPolicy, lifecyclePolicy, customRoleArn, encryption } = template
  const resourceTags = describeResourceTags(template.resourceTags)
  return {
    prefix,
    description,
    encryptionConfiguration: { encryptionType: encryption.type, kmsKey: encryption.kmsKey },
    resourceTags: resourceTags.length > 0 ? resourceTags : undefined,
    ...describeTagMutability(template.tagMutability),
    repositoryPolicy,
    lifecyclePolicy,
    appliedFor: template.appliedFor,
    customRoleArn,
    createdAt: new Date(template.createdAt),
    updatedAt: new Date(template.updatedAt),
  }
}
