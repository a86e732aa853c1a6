/**
 * Terraform with the AWS provider out of a local mirror: nothing is fetched from the network. Its settings, plugins and state
 * lie in the folder of its run.
 */
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { findProgram, run } from './run.ts'
import type { RunningServer } from './server.ts'

/** The version that the mirror must hold, and that configurations ask for. */
export const providerVersion = '5.100.0'

const provider = join('registry.terraform.io', 'hashicorp', 'aws')

/** As Terraform calls this platform. */
const platform = `${process.platform}_${process.arch === 'x64' ? 'amd64' : process.arch}`

/**
 * Where a mirror may be: as `LADING_TERRAFORM_PLUGINS` says, in the implied local mirror directories (Terraform's documentation,
 * "Provider Installation"), or below `/opt`, where a machine's administrator puts what no package brings.
 */
function* mirrors(): Generator<string> {
  const { LADING_TERRAFORM_PLUGINS: named, XDG_DATA_HOME, XDG_DATA_DIRS = '/usr/local/share:/usr/share' } = process.env
  if (named !== undefined) yield named
  yield join(homedir(), '.terraform.d', 'plugins')
  yield join(homedir(), 'Library', 'Application Support', 'io.terraform', 'plugins')
  for (const data of [XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), ...XDG_DATA_DIRS.split(':')]) {
    yield join(data, 'terraform', 'plugins')
  }
  if (existsSync('/opt')) for (const name of readdirSync('/opt')) yield join('/opt', name)
}

function holdsProvider(mirror: string): boolean {
  return (
    existsSync(join(mirror, provider, providerVersion, platform)) ||
    existsSync(join(mirror, provider, `terraform-provider-aws_${providerVersion}_${platform}.zip`))
  )
}

const mirror = mirrors().find(holdsProvider)

/** Options of a test that needs Terraform: skipped, in CI too, where the program or the mirror is missing. */
export function needsTerraform(): { skip: string | false } {
  if (findProgram('terraform') === undefined) return { skip: 'not on this machine: terraform' }
  return { skip: mirror === undefined && `not on this machine: a mirror with hashicorp/aws ${providerVersion}` }
}

/** Runs Terraform in one folder; gives its standard output without colours, throws if it ends with anything but 0. */
export type Terraform = (...args: string[]) => Promise<string>

/**
 * Terraform in an existing folder, as the root of the server's account unless `environment` replaces the key. No variable names an
 * endpoint but those of `environment`.
 */
export async function openTerraform(
  folder: string,
  server: RunningServer,
  environment: Readonly<Record<string, string>> = {},
): Promise<Terraform> {
  const settings = join(folder, 'terraform.rc')
  await writeFile(
    settings,
    `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(mirror)}\n  }\n}\n`,
  )
  const home = join(folder, 'home')
  await mkdir(home)
  const env = {
    HOME: home,
    TF_CLI_CONFIG_FILE: settings,
    TF_IN_AUTOMATION: 'true',
    TF_INPUT: 'false',
    CHECKPOINT_DISABLE: 'true',
    GOGC: '400', // each command starts the provider, which spends a third of its time on collecting garbage
    AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    AWS_REGION: server.region,
    AWS_EC2_METADATA_DISABLED: 'true',
    ...environment,
  }
  return (...args) => run('terraform', args, { cwd: folder, env })
}
