/** ECR's frame around what is wrong with one member of a request. */
export function invalid(member: string, constraint: string): string {
  return `Invalid parameter at '${member}' failed to satisfy constraint: '${constraint}'`
}

/** The constraint of a member that takes one of a few texts, as ECR words those of its model. */
export function oneOf(texts: readonly string[]): string {
  return `Member must satisfy enum value set: [${texts.join(', ')}]`
}
