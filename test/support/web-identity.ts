/** A job's own token in place of a key: an issuer, registered in a server's account, and a role that trusts one subject of it. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { IAM } from '@aws-sdk/client-iam'
import { startOidcIssuer } from './oidc-issuer.ts'
import type { RunningServer } from './server.ts'

export interface WebIdentity extends AsyncDisposable {
  readonly roleArn: string
  /** A token that the role trusts. */
  token(): Promise<string>
  /** A token of the same issuer that the role does not trust. */
  strangeToken(): Promise<string>
  /** What a program finds in its environment: the role, and a file in `folder` with a token that the role trusts. */
  environment(folder: string): Promise<Readonly<Record<string, string>>>
}

const audience = 'lading'
const subject = 'system:serviceaccount:team:app'

/** The role `puller` of the server's account may pull, and nothing else. */
export async function startWebIdentity(server: RunningServer): Promise<WebIdentity> {
  const issuer = await startOidcIssuer()
  const provider = issuer.url.replace('https://', '')
  const iam = new IAM({ endpoint: server.url, region: server.region, credentials: server.credentials })
  await iam.createOpenIDConnectProvider({ Url: issuer.url, ClientIDList: [audience] })
  const RoleName = 'puller'
  const { Role } = await iam.createRole({
    RoleName,
    AssumeRolePolicyDocument: JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Federated: `arn:aws:iam::${server.account}:oidc-provider/${provider}` },
          Action: 'sts:AssumeRoleWithWebIdentity',
          Condition: { StringEquals: { [`${provider}:aud`]: audience, [`${provider}:sub`]: subject } },
        },
      ],
    }),
  })
  const PolicyArn = 'arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly'
  await iam.attachRolePolicy({ RoleName, PolicyArn })
  const roleArn = Role?.Arn ?? ''
  const token = () => issuer.token({ sub: subject, aud: audience })
  return {
    roleArn,
    token,
    strangeToken: () => issuer.token({ sub: 'system:serviceaccount:team:other', aud: audience }),
    async environment(folder) {
      const file = join(folder, 'token.jwt')
      await writeFile(file, await token())
      return { AWS_ROLE_ARN: roleArn, AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_SESSION_NAME: 'app' }
    },
    async [Symbol.asyncDispose]() {
      iam.destroy()
      await issuer[Symbol.asyncDispose]()
    },
  }
}
