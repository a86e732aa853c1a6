import { isArn } from '#names/arn.ts'
import { refuse } from './refusals.ts'

/** Inputs that must be ARNs. IAM refuses other texts before it looks anything up. */

/** @throws Refusal `ArnUnparsable` */
export function requireArn(text: string): string {
  if (!isArn(text)) throw refuse('ArnUnparsable', {})
  return text
}

/** The managed policy that an operation is about. @throws Refusal `ArnUnparsable` */
export function policyArn({ input }: { readonly input: { readonly PolicyArn: string } }): string {
  return requireArn(input.PolicyArn)
}

/** The permissions boundary that an operation sets. @throws Refusal `ArnUnparsable` */
export function boundaryArn(input: { readonly PermissionsBoundary?: string | undefined }): string | undefined {
  return input.PermissionsBoundary === undefined ? undefined : requireArn(input.PermissionsBoundary)
}
