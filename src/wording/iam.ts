import type { Denial } from '#iam/refusals.ts'

/** IAM's sentence, the same on both planes (IAM user guide, "Troubleshoot access denied error messages"). */
export function accessDeniedText({ principalArn, action, resource, named = resource, verdict }: Denial): string {
  return `User: ${principalArn} is not authorized to perform: ${action} on resource: ${named} ${because(action, verdict)}`
}

/** IAM has no sentence for too many steps. */
function because(action: string, { reason, type }: Denial['verdict']): string {
  switch (reason) {
    case 'explicit deny':
      return `with an explicit deny in ${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`
    case 'no allow':
      return `because no ${type} allows the ${action} action`
    case 'too many steps':
      return 'because the policies take too many steps to evaluate'
  }
}
