import { parseKnownFiles } from '@smithy/shared-ini-file-loader'
import { CommandError } from '#commands/command.ts'

/** What the shared config and credentials files of AWS (`~/.aws`) say of a profile, as far as it is asked for here. */
export interface Profile {
  readonly name: string
  /** That of its `services` section for `lading` or `ecr` precedes its own, as with `aws`. */
  readonly endpoint_url?: string | undefined
  readonly region?: string | undefined
  readonly aws_access_key_id?: string | undefined
  readonly aws_secret_access_key?: string | undefined
  readonly aws_session_token?: string | undefined
  readonly role_arn?: string | undefined
  readonly role_session_name?: string | undefined
  readonly web_identity_token_file?: string | undefined
}

/** Of `name`, or else the one called default, of which nothing need be there. @throws CommandError */
export async function readProfile(name: string | undefined, environment: NodeJS.ProcessEnv): Promise<Profile> {
  const { AWS_CONFIG_FILE: configFilepath, AWS_SHARED_CREDENTIALS_FILE: filepath } = environment
  const profiles = await parseKnownFiles({ ...(configFilepath && { configFilepath }), ...(filepath && { filepath }) })
  const found = profiles[name ?? 'default']
  if (name !== undefined && found === undefined) {
    throw new CommandError(`there is no profile ${JSON.stringify(name)} in the shared config and credentials files`)
  }
  const services = profiles[`services.${found?.services}`]
  const endpoint_url = services?.['lading.endpoint_url'] || services?.['ecr.endpoint_url'] || found?.endpoint_url
  return { ...found, endpoint_url, name: name ?? 'default' }
}
