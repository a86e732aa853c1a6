import type { HandlerRequest, Handlers } from '#aws/operation.ts'
import { repositoriesArn } from '#names/arn.ts'
import type { Registry } from '#names/registry.ts'
import type { RepositoryName } from '#names/repository-name.ts'
import {
  isRepositoryPrefix,
  parseRepositoryPrefix,
  prefixesAbove,
  type RepositoryPrefix,
} from '#names/repository-prefix.ts'
import {
  type CreationReason,
  type CreationTemplate,
  type CreationTemplates,
  findTemplate,
  type SeenTemplate,
  type TemplateChange,
} from '#registry/creation-templates.ts'
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
  /** Asks for permission by what the template holds, and again if it was changed before the work. */
  async function onTemplate(
    registry: Registry,
    prefix: RepositoryPrefix,
    work: (seen: SeenTemplate) => Promise<CreationTemplate | undefined>,
  ) {
    for (;;) {
      const [template] = await creationTemplates.findAll(registry, [prefix])
      const done = await work({ prefix, template })
      if (done !== undefined) return answerOf(done)
    }
  }

  /**
   * A template takes the place of the one above it: repositories below its prefix no longer have that one's policies. Where it ends,
   * they have them again. Both need the right to set them. @throws Refusal `AccessDenied`
   */
  async function requireAbove(
    request: HandlerRequest<unknown>,
    prefix: RepositoryPrefix,
    reasons: readonly CreationReason[],
  ): Promise<void> {
    const above = await creationTemplates.findAll(request.registry, prefixesAbove(prefix))
    // What covers the prefix as if it were a name is what covers all below it.
    const gifts = reasons.flatMap((reason) => [
      ...held(findTemplate(above, prefix as string as RepositoryName, reason)),
    ])
    await requireAll(request, prefix, new Set(gifts))
  }

  return {
    CreateRepositoryCreationTemplate: {
      resource: () => '*',
      handle: async (request) => {
        const { input, registry } = request
        const prefix = parseRepositoryPrefix(input.prefix)
        await requireDependents(request, prefix, undefined)
        await requireAbove(request, prefix, input.appliedFor)
        return answerOf(await creationTemplates.create(registry, prefix, changeOf(input)))
      },
    },

    UpdateRepositoryCreationTemplate: {
      resource: () => '*',
      handle: async (request) => {
        const { input, registry } = request
        const prefix = parseRepositoryPrefix(input.prefix)
        return onTemplate(registry, prefix, async (seen) => {
          await requireDependents(request, prefix, seen.template)
          await requireAbove(request, prefix, changedOccasions(seen.template, input.appliedFor))
          return creationTemplates.update(registry, changeOf(input), seen)
        })
      },
    },

    DeleteRepositoryCreationTemplate: {
      resource: () => '*',
      handle: async (request) => {
        const { input, registry } = request
        const prefix = parseRepositoryPrefix(input.prefix)
        return onTemplate(registry, prefix, async (seen) => {
          await requireAll(request, prefix, held(seen.template))
          await requireAbove(request, prefix, seen.template?.appliedFor ?? [])
          return creationTemplates.delete(registry, seen)
        })
      },
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

/** What a template has that its author must be allowed to set in repositories. */
type Gift = 'repositoryPolicy' | 'lifecyclePolicy' | 'resourceTags'

const actions: Readonly<Record<Gift, string>> = {
  repositoryPolicy: 'ecr:SetRepositoryPolicy',
  lifecyclePolicy: 'ecr:PutLifecyclePolicy',
  resourceTags: 'ecr:TagResource',
}

/**
 * What a template gives to repositories its author must be allowed to give them (Service Authorization Reference, Amazon ECR,
 * dependent actions of CreateRepositoryCreationTemplate). To take it away, or to give it on other occasions, needs the same: a
 * policy may hold a Deny that its author must not lift.
 *
 * @throws Refusal `AccessDenied`
 */
async function requireDependents(
  request: HandlerRequest<TemplateInput>,
  prefix: RepositoryPrefix,
  present: CreationTemplate | undefined,
): Promise<void> {
  const { input } = request
  const before = held(present)
  const changed = new Set(
    gifts.filter((gift) => input[gift] !== undefined && (input[gift].length > 0 || before.has(gift))),
  )
  const appliesElsewhere = changedOccasions(present, input.appliedFor).length > 0
  await requireAll(request, prefix, appliesElsewhere ? changed.union(before) : changed)
  await requirePassRole(request, input.customRoleArn ?? (appliesElsewhere ? present?.customRoleArn : undefined))
}

// The table's keys and no others, which Object.keys cannot know.
const gifts = Object.keys(actions) as Gift[]

function held(template: CreationTemplate | undefined): ReadonlySet<Gift> {
  if (template === undefined) return new Set()
  const { repositoryPolicy, lifecyclePolicy, resourceTags } = template
  const has = { repositoryPolicy, lifecyclePolicy, resourceTags: Object.keys(resourceTags).length > 0 }
  return new Set(gifts.filter((gift) => has[gift]))
}

/** For which a template begins or ends to act. */
function changedOccasions(
  present: CreationTemplate | undefined,
  given: TemplateInput['appliedFor'],
): readonly CreationReason[] {
  if (present === undefined || given === undefined) return []
  return [...new Set(given).symmetricDifference(new Set(present.appliedFor))]
}

/** Of every repository that the prefix covers, those that do not exist yet included. */
async function requireAll(
  { registry, require }: Pick<HandlerRequest<unknown>, 'registry' | 'require'>,
  prefix: RepositoryPrefix,
  needed: ReadonlySet<Gift>,
): Promise<void> {
  for (const gift of needed) await require(actions[gift], repositoriesArn(registry, prefix))
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
