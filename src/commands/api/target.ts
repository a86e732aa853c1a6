import { CommandError } from '#commands/command.ts'
import { type Profile, readProfile } from './profile.ts'

/** Whom a command asks, and as whom: found where `aws` finds it, in the same order. */
export interface ApiTarget {
  readonly endpoint: URL
  readonly region: string
  readonly credentials: ApiCredentials
}

interface ApiCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** Flags of every command that asks the API. */
export interface TargetOptions {
  readonly endpointUrl?: string | undefined
  readonly region?: string | undefined
  readonly profile?: string | undefined
}

/** An empty variable counts as not set. @throws CommandError that says what is missing and where it may be given */
export async function findTarget(options: TargetOptions, environment: NodeJS.ProcessEnv): Promise<ApiTarget> {
  const named = options.profile || environment.AWS_PROFILE || environment.AWS_DEFAULT_PROFILE || undefined
  const profile = await readProfile(named, environment)
  return {
    endpoint: endpointOf(options, environment, profile),
    region: regionOf(options, environment, profile),
    credentials: credentialsOf(options, environment, profile),
  }
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

/** A profile that a flag names goes before the variables, one that a variable names does not, as with `aws`. */
function credentialsOf(options: TargetOptions, environment: NodeJS.ProcessEnv, profile: Profile): ApiCredentials {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = environment
  if (!options.profile && AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY) {
    return identity(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN)
  }
  const { aws_access_key_id: id, aws_secret_access_key: secret, aws_session_token: token } = profile
  if (id && secret) return identity(id, secret, token)
  throw new CommandError(
    `there are no credentials: give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or an access key in profile ${JSON.stringify(profile.name)} ` +
      '(aws configure export-credentials --format env turns those of a role or of a login into variables)',
  )
}

function identity(accessKeyId: string, secretAccessKey: string, sessionToken: string | undefined): ApiCredentials {
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) }
}
