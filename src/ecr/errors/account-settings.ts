import type { Exceptions } from '#aws/exceptions.ts'
import type { ErrorName } from '#ecr/model.ts'
import type { RegistryRefusals } from '#registry/refusals.ts'
import { invalid, oneOf } from './invalid.ts'

type Codes = 'AccountSettingUnknown' | 'AccountSettingValueUnknown' | 'RegistryPolicyBeyondScope'

/** What is wrong with an account setting; the texts are ours, in the form of those of the API model. */
export const accountSettingExceptions = {
  AccountSettingUnknown: ['InvalidParameterException', ({ names }) => invalid('name', oneOf(names))],
  AccountSettingValueUnknown: ['InvalidParameterException', ({ values }) => invalid('value', oneOf(values))],
  RegistryPolicyBeyondScope: [
    'InvalidParameterException',
    () =>
      invalid(
        'value',
        'The registry policy has statements that scope V1 does not take. Change or delete the policy first.',
      ),
  ],
} as const satisfies Exceptions<Pick<RegistryRefusals, Codes>, ErrorName>
