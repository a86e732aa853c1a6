import type { ListenAddress } from './values.ts'

/** The URL under which a client on this machine reaches a listening address; a wildcard is reached as `localhost`. */
export function listeningUrl({ host, port }: ListenAddress, scheme: 'http' | 'https'): string {
  const everywhere = host === '' || host === '0.0.0.0' || host === '::'
  const name = everywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return new URL(`${scheme}://${name}:${port}`).origin
}
