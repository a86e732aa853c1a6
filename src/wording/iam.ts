import type { Denial } from '#iam/authorize.ts'

/** IAM's sentence, the same on both planes (IAM user guide, "Troubleshoot access denied error messages"). */
export function accessDeniedText({ principalArn, action, resource, reason }: Denial): string {
  return `User: ${principalArn} is not authorized to perform: ${action} on resource: ${resource} because ${reason} allows the ${action} action`
}
