import type { ErrorName } from '#admin/model.ts'
import type { WebhookAskRefusals } from '#admin/refusals.ts'
import type { Exceptions } from '#aws/exceptions.ts'
import type { UrlProblem, WebhookRefusals } from '#events/webhooks/refusals.ts'
import type { RegistryRefusals } from '#registry/refusals.ts'
import { registryTexts } from '#wording/registry.ts'
import { invalid } from './invalid.ts'

type Refusals = WebhookAskRefusals & WebhookRefusals & Pick<RegistryRefusals, 'QuotaExceeded'>

export const webhookExceptions: Exceptions<Refusals, ErrorName> = {
  RedeliveryAmbiguous: [
    'InvalidParameterException',
    () => invalid('eventId', 'Either an eventId or allDead must be given'),
  ],
  WebhookAlreadyExists: [
    'WebhookAlreadyExistsException',
    ({ name, registry }) =>
      `The webhook with name '${name}' already exists in the registry with id '${registry.account}'`,
  ],
  WebhookNotFound: [
    'WebhookNotFoundException',
    ({ name, registry }) =>
      `The webhook with name '${name}' does not exist in the registry with id '${registry.account}'`,
  ],
  WebhookUrlInvalid: ['InvalidParameterException', ({ problem }) => invalid('url', urlTexts[problem])],
  DeliveryNotFound: [
    'WebhookDeliveryNotFoundException',
    ({ name, eventId }) =>
      `The webhook with name '${name}' has no delivery of the event '${eventId}' that waits or is dead. Delivered events are not kept.`,
  ],
  QuotaExceeded: ['LimitExceededException', registryTexts.QuotaExceeded],
}

const urlTexts = {
  syntax: 'The URL must be absolute',
  scheme: 'The URL must begin with https:// or http://',
  credentials: 'The URL must not hold a user name or a password',
  fragment: 'The URL must not have a fragment',
  http: 'The URL must begin with https://, unless the operator lists its host in LADING_WEBHOOK_HOSTS',
  address:
    'The address of the host is private. The operator can list the host in LADING_WEBHOOK_HOSTS, unless its address is link-local',
} as const satisfies Record<UrlProblem, string>
