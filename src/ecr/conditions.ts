import type { Conditions } from '#iam/circumstances.ts'
import type { Tag } from './model.ts'

/** What requests tell policies of the tags that they set (Service Authorization Reference, Amazon ECR, "Condition keys"). */
export function requestTagConditions(tags: readonly Tag[]): Conditions {
  const values = tags.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value] as const)
  return [...values, ['aws:TagKeys', tags.map(({ Key }) => Key)]]
}
