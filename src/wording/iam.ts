import type { Denial } from '#iam/refusals.ts'

/** IAM's sentence, the same on both planes (IAM user guide, "Troubleshoot access denied error messages"). */
export function accessDeniedText({ principalArn, action, resource, verdict }: Denial): string {
  const { type } = verdict
  const because =
    verdict.reason === 'explicit deny'
      ? `with an explicit deny in ${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`
      : `because no ${type} allows the ${action} action`
  return `User: ${principalArn} is not authorized to perform: ${action} on resource: ${resource} ${because}`
}
