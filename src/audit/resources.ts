/** What an ARN names, as CloudTrail tells resources: a type, a name, and whose it is. */
export interface AuditedResource {
  readonly type: string
  readonly name: string
  readonly arn: string
  readonly account: string
}

const types: Readonly<Record<string, string>> = {
  'ecr:repository': 'AWS::ECR::Repository',
  'iam:user': 'AWS::IAM::User',
  'iam:group': 'AWS::IAM::Group',
  'iam:role': 'AWS::IAM::Role',
  'iam:policy': 'AWS::IAM::Policy',
  'iam:oidc-provider': 'AWS::IAM::OIDCProvider',
  'secretsmanager:secret': 'AWS::SecretsManager::Secret',
}

/** `undefined` for what names many, all or nothing. */
export function parseResource(arn: string): AuditedResource | undefined {
  const [, service = '', account = '', kind = '', path = ''] =
    /^arn:[^:]*:([^:]*):[^:]*:([^:]*):([a-z-]+)[/:](.+)$/s.exec(arn) ?? []
  const type = types[`${service}:${kind}`]
  if (type === undefined || path.includes('*')) return undefined
  // Of IAM's names the path is no part; of a repository's and a provider's the slashes are.
  const named = service === 'iam' && kind !== 'oidc-provider' ? path.slice(path.lastIndexOf('/') + 1) : path
  return { type, name: named, arn, account }
}
