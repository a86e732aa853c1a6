import { readFile } from 'node:fs/promises'
import { CommandError } from '#commands/command.ts'
import { type Answered, post } from './post.ts'
import type { ApiCredentials } from './target.ts'

/** A role, and the file with the token of the job's platform that stands for it (STS API reference, AssumeRoleWithWebIdentity). */
export interface WebIdentity {
  readonly roleArn: string
  readonly tokenFile: string
  readonly sessionName: string | undefined
  readonly deadlineMs?: number | undefined
}

/** The shortest that STS grants. The credentials are for one command. */
const sessionSeconds = 900

/**
 * Exchanges the token for credentials at the server that the command asks, and at no other: credentials of another would be of no use
 * there.
 *
 * @throws CommandError
 */
export async function assumeRoleWithWebIdentity(endpoint: URL, identity: WebIdentity): Promise<ApiCredentials> {
  const { roleArn, tokenFile, sessionName, deadlineMs } = identity
  const body = new URLSearchParams({
    ...{ Action: 'AssumeRoleWithWebIdentity', Version: '2011-06-15', RoleArn: roleArn },
    RoleSessionName: sessionName ?? `lading-${Date.now()}`,
    WebIdentityToken: (await readToken(tokenFile)).trim(),
    DurationSeconds: String(sessionSeconds),
  })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await post(endpoint, { headers, body: body.toString(), deadlineMs })
  if (!answer.ok) {
    const reason = elementIn(answer, 'Message') ?? `status ${answer.status}`
    throw new CommandError(`${endpoint.origin} did not exchange the token in ${tokenFile} for ${roleArn}: ${reason}`)
  }
  const names = ['AccessKeyId', 'SecretAccessKey', 'SessionToken'] as const
  const [accessKeyId, secretAccessKey, sessionToken] = names.map((name) => elementIn(answer, name))
  if (accessKeyId === undefined || secretAccessKey === undefined || sessionToken === undefined) {
    throw new CommandError(`${endpoint.origin} answered without credentials: expected a server of Lading`)
  }
  return { accessKeyId, secretAccessKey, sessionToken }
}

async function readToken(tokenFile: string): Promise<string> {
  try {
    return await readFile(tokenFile, 'utf8')
  } catch (error) {
    throw new CommandError(`the web identity token cannot be read: ${error instanceof Error ? error.message : error}`)
  }
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/** The text of the first element of that name. STS answers with flat XML; of what is read here only messages hold entities. */
function elementIn({ text }: Answered, name: string): string | undefined {
  const [, found] = new RegExp(`<${name}>([^<]*)</${name}>`).exec(text) ?? []
  return found?.replaceAll(/&(lt|gt|amp|quot|apos);/g, (entity, key: string) => entities[key] ?? entity)
}
