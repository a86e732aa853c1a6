import { CommandError, type Typed, textOf } from '#commands/command.ts'
import { type Profile, readProfile } from './profile.ts'
import { assumeRoleWithWebIdentity } from './web-identity.ts'

/** The server that a command asks, and the credentials it asks with: found where `aws` finds them, in the same order. */
export interface ApiTarget {
  readonly endpoint: URL
  readonly region: string
  /** Exchanges a web identity token for them when they are first asked for. @throws CommandError */
  readonly credentials: () => Promise<ApiCredentials>
}

export interface ApiCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** Flags of every command that asks the API. */
export interface TargetOptions {
  readonly endpointUrl?: string | undefined
  readonly region?: string | undefined
  readonly profile?: string | undefined
  /** Of each request to the server. */
  readonly deadlineMs?: number | undefined
}

export function targetOptions(typed: Typed): TargetOptions {
  const [endpointUrl, region, profile] = ['endpointUrl', 'region', 'profile'].map((name) => textOf(typed, name))
  return { endpointUrl, region, profile }
}

/** An empty variable counts as not set. @throws CommandError that says what is missing and where it may be given */
export async function findTarget(options: TargetOptions, environment: NodeJS.ProcessEnv): Promise<ApiTarget> {
  const named = options.profile || environment.AWS_PROFILE || environment.AWS_DEFAULT_PROFILE || undefined
  const profile = await readProfile(named, environment)
  const endpoint = endpointOf(options, environment, profile)
  const region = regionOf(options, environment, profile)
  return { endpoint, region, credentials: credentialsOf({ options, environment, profile, endpoint }) }
}

function endpointOf({ endpointUrl }: TargetOptions, environment: NodeJS.ProcessEnv, profile: Profile): URL {
  const { AWS_ENDPOINT_URL_LADING: ofService, AWS_ENDPOINT_URL: ofAll } = environment
  const text = endpointUrl || ofService || ofAll || profile.endpoint_url
  if (!text) {
    throw new CommandError(
      'which server is not said: give --endpoint-url or AWS_ENDPOINT_URL, such as https://registry.example',
    )
  }
  const endpoint = URL.parse(text)
  if (endpoint === null || !/^https?:$/.test(endpoint.protocol)) {
    throw new CommandError(`${JSON.stringify(text)} is no endpoint: expected a URL such as https://registry.example`)
  }
  return endpoint
}

function regionOf({ region }: TargetOptions, environment: NodeJS.ProcessEnv, profile: Profile): string {
  const found = region || environment.AWS_REGION || environment.AWS_DEFAULT_REGION || profile.region
  if (!found) throw new CommandError('no region is said: give --region or AWS_REGION')
  return found
}

interface Sources {
  readonly options: TargetOptions
  readonly environment: NodeJS.ProcessEnv
  readonly profile: Profile
  readonly endpoint: URL
}

/** A profile that a flag names precedes the variables, one that a variable names does not, as with `aws`. */
function credentialsOf({ options, environment, profile, endpoint }: Sources): ApiTarget['credentials'] {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = environment
  if (!options.profile && AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY) {
    return identity(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN)
  }
  const { AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_SESSION_NAME } = environment
  const { role_arn, web_identity_token_file, role_session_name } = profile
  const federated = (roleArn: string, tokenFile: string, sessionName: string | undefined) => {
    const { deadlineMs } = options
    const webIdentity = { roleArn, tokenFile, sessionName: sessionName || undefined, deadlineMs }
    let exchanged: Promise<ApiCredentials> | undefined
    return () => {
      exchanged ??= assumeRoleWithWebIdentity(endpoint, webIdentity)
      return exchanged
    }
  }
  if (!options.profile && AWS_ROLE_ARN && AWS_WEB_IDENTITY_TOKEN_FILE) {
    return federated(AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_SESSION_NAME)
  }
  if (role_arn && web_identity_token_file) return federated(role_arn, web_identity_token_file, role_session_name)
  const { aws_access_key_id: id, aws_secret_access_key: secret, aws_session_token: token } = profile
  if (id && secret) return identity(id, secret, token)
  throw new CommandError(
    `there are no credentials: give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE, or an access key in profile ${JSON.stringify(profile.name)} ` +
      '(aws configure export-credentials --format env turns those of a role or of a login into variables)',
  )
}

function identity(accessKeyId: string, secretAccessKey: string, sessionToken: string | undefined) {
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) }
  return () => Promise.resolve(credentials)
}
