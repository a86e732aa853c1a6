/** What requests to IAM tell policies about themselves, by condition key (Service Authorization Reference, AWS IAM). */

type Conditions = Iterable<readonly [key: string, value: string | readonly string[]]>

interface Request<Input> {
  readonly input: Input
}

export function tagConditions({
  input: { Tags = [], TagKeys },
}: Request<{
  readonly Tags?: readonly { readonly Key: string; readonly Value: string }[] | undefined
  readonly TagKeys?: readonly string[]
}>): Conditions {
  const keys = TagKeys ?? Tags.map(({ Key }) => Key)
  if (keys.length === 0) return []
  return [...Tags.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value] as const), ['aws:TagKeys', keys]]
}

export function boundaryConditions({
  input: { PermissionsBoundary },
}: Request<{ readonly PermissionsBoundary?: string | undefined }>): Conditions {
  return PermissionsBoundary === undefined ? [] : [['iam:PermissionsBoundary', PermissionsBoundary]]
}

export function policyConditions({ input: { PolicyArn } }: Request<{ readonly PolicyArn: string }>): Conditions {
  return [['iam:PolicyARN', PolicyArn]]
}
