import { text } from 'node:stream/consumers'
import { isObject } from '#lib/json.ts'
import { type AuthorizationToken, createApi } from './api/client.ts'
import { findTarget, type TargetOptions, targetOptions } from './api/target.ts'
import { CommandError, type CommandGroup, type ProtocolCall } from './command.ts'
import { hostOf, isKnown, isServedBy, registryHostOf } from './docker-credential/hosts.ts'

/**
 * `docker-credential-lading`, by the protocol of docker/docker-credential-helpers: a request on standard input, an answer or a failure on
 * standard output. It asks the server for a new token each time and stores nothing: a token that is kept would outlive a change of
 * endpoint or key, and a new one costs one call.
 *
 * A failure for a host that is ours is printed on standard error too, since docker itself discards the other.
 */
export const dockerCredentialCommands: CommandGroup = {
  name: 'docker-credential',
  description: 'what docker-credential-lading does, the credential helper of docker and other clients',
  commands: [
    {
      name: 'get',
      over: 'protocol',
      description: 'read a host from standard input, and print user name and password for it',
      example: 'lading docker-credential get < host.txt',
      run: get,
    },
    {
      name: 'store',
      over: 'protocol',
      description: 'read credentials from standard input; nothing is stored, and those of other servers are refused',
      example: 'lading docker-credential store < credentials.json',
      run: store,
    },
    {
      name: 'erase',
      over: 'protocol',
      description: 'read a host from standard input; there is nothing to erase',
      example: 'lading docker-credential erase < host.txt',
      run: erase,
    },
    {
      name: 'list',
      over: 'protocol',
      description: 'print the hosts that need no question to the server, with their user name',
      example: 'lading docker-credential list',
      run: list,
    },
  ],
}

/** Texts of the protocol, by which clients know that they may go on without credentials, or may not. */
const notFound = 'credentials not found in native keychain'
const noServer = 'no credentials server URL'

const username = 'AWS'
/** docker waits for the helper, also where the server is down. */
const deadlineMs = 10_000

async function get(call: ProtocolCall): Promise<void> {
  const server = (await text(process.stdin)).trim()
  if (server === '') return fail(call, noServer)
  const found = await find(call, server)
  if (found.problem !== undefined) fail(call, found.isOurs ? found.problem : notFound)
  if (found.problem !== undefined && found.isWorthSaying) throw new CommandError(found.problem)
  if (found.token === undefined) return
  const answer = { ServerURL: server, Username: found.token.username, Secret: found.token.password }
  call.output.value(JSON.stringify(answer), answer)
}

async function store(call: ProtocolCall): Promise<void> {
  const { ServerURL: server, Username: user } = readCredentials(await text(process.stdin))
  if (server === '') return fail(call, noServer)
  const { isOurs } = await find(call, server)
  if (!isOurs) {
    return fail(call, `docker-credential-lading stores no passwords: name another helper for ${server} in credHelpers`)
  }
  if (user !== username) {
    fail(call, `docker-credential-lading makes the passwords for ${server} itself, for the user ${username}`)
  }
}

async function erase(): Promise<void> {
  await text(process.stdin)
}

async function list(call: ProtocolCall): Promise<void> {
  const { endpoint } = await findTarget(optionsOf(call), call.environment)
  const hosts = [endpoint.host, ...namedHosts(call).flatMap((name) => hostOf(name, endpoint) ?? [])]
  const answer = Object.fromEntries(hosts.map((host) => [host, username]))
  call.output.value(JSON.stringify(answer), answer)
}

/** What is known of a host: a token for it, or why there is none. */
interface Found {
  /** Whether the server serves it, as far as that can be known. */
  readonly isOurs: boolean
  readonly token?: AuthorizationToken
  readonly problem?: string
  /** Not for hosts of others, which docker asks for too. */
  readonly isWorthSaying?: boolean
}

async function find(call: ProtocolCall, server: string): Promise<Found> {
  let isOurs = false
  let isWorthSaying = true
  try {
    const target = await findTarget(optionsOf(call, server), call.environment)
    const { endpoint } = target
    const host = hostOf(server, endpoint)
    if (host === undefined) return { isOurs, problem: notFound }
    isOurs = isKnown(host, { endpoint, named: namedHosts(call) })
    isWorthSaying = isOurs || registryHostOf(host) !== undefined
    const token = await createApi(target, { deadlineMs }).authorizationToken()
    return isOurs || isServedBy(host, token.proxyEndpoint, endpoint)
      ? { isOurs: true, token }
      : { isOurs, problem: notFound }
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    return { isOurs, problem: error.message, isWorthSaying }
  }
}

/** Where the host is that of a registry, the token must be of its region. */
function optionsOf(call: ProtocolCall, server?: string): TargetOptions {
  const { region, profile, ...options } = targetOptions(call)
  const host = server === undefined ? undefined : hostOf(server, { protocol: 'http:' })
  return {
    ...options,
    profile: profile || call.environment.DOCKER_CREDENTIAL_LADING_PROFILE,
    region: (host && registryHostOf(host)?.region) || region,
    deadlineMs,
  }
}

function namedHosts({ environment }: ProtocolCall): readonly string[] {
  const names = environment.DOCKER_CREDENTIAL_LADING_HOSTS?.split(',') ?? []
  return names.map((name) => name.trim()).filter((name) => name !== '')
}

function readCredentials(input: string): { readonly ServerURL: string; readonly Username: string } {
  const document = parseJson(input)
  const { ServerURL, Username } = isObject(document) ? document : {}
  return {
    ServerURL: typeof ServerURL === 'string' ? ServerURL : '',
    Username: typeof Username === 'string' ? Username : '',
  }
}

function parseJson(input: string): unknown {
  try {
    return JSON.parse(input)
  } catch {
    return undefined
  }
}

/** The protocol's failure: a text on standard output, and an exit code. */
function fail({ output }: ProtocolCall, message: string): void {
  process.exitCode = 1
  output.value(message, { error: message })
}
