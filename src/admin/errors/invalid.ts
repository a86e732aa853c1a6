/** As ECR frames what is wrong with one member of a request. */
export function invalid(member: string, constraint: string): string {
  return `Invalid parameter at '${member}' failed to satisfy constraint: '${constraint}'`
}
