import { readJson } from '#lib/json.ts'
import { isAccountId } from '#names/account.ts'
import { rootArn } from '#names/arn.ts'

/**
 * A document as ECR gives it back: indented, with blanks around colons and inside the brackets of lists, and accounts by the ARN
 * of their root (ECR API reference, GetRepositoryPolicy). Clients compare what it says, people read it.
 */
export function printPolicy(text: string): string {
  return printValue(readJson(text), '', '')
}

function printValue(value: unknown, indent: string, name: string): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return '[ ]'
    return `[ ${value.map((item) => printValue(item, indent, name)).join(', ')} ]`
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
    if (entries.length === 0) return '{ }'
    const inner = `${indent}  `
    const lines = entries.map(([key, item]) => `${inner}${JSON.stringify(key)} : ${printValue(item, inner, key)}`)
    return `{\n${lines.join(',\n')}\n${indent}}`
  }
  return JSON.stringify(name === 'AWS' && typeof value === 'string' && isAccountId(value) ? rootArn(value) : value)
}
