import { type AccountId, isAccountId } from './account.ts'

const pattern = /^arn:aws[\w-]*:iam::(\d{12}):role\/[\w+=,.@/-]+$/

/** The account in the ARN of a role; `undefined` where the text is none (IAM user guide, "IAM ARNs"). */
export function accountOfRole(text: string): AccountId | undefined {
  const account = pattern.exec(text)?.[1] ?? ''
  return isAccountId(account) ? account : undefined
}
