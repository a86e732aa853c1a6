// `WWW-Authenticate` (RFC 9110 section 11.6.1), as registries send it.

export type Challenge =
  | { readonly scheme: 'bearer'; readonly realm: string; readonly service: string | undefined }
  | { readonly scheme: 'basic' }

/** The challenge that a client answers: Bearer rather than Basic. `undefined` if there is neither. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  const challenges = challengesOf(header ?? '')
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer')
  const realm = bearer?.parameters.get('realm')
  if (realm !== undefined) return { scheme: 'bearer', realm, service: bearer?.parameters.get('service') }
  return challenges.some(({ scheme }) => scheme === 'basic') ? { scheme: 'basic' } : undefined
}

interface RawChallenge {
  readonly scheme: string
  readonly parameters: Map<string, string>
}

const token = "[!#$%&'*+.^_`|~\\w-]+"
const part = new RegExp(`[\\s,]*(?:(${token})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${token}))|(${token}))`, 'y')

/** Stops at the first text that the grammar does not have. */
function challengesOf(header: string): readonly RawChallenge[] {
  const challenges: RawChallenge[] = []
  part.lastIndex = 0
  for (let found = part.exec(header); found !== null; found = part.exec(header)) {
    const [, name, quoted, plain, scheme] = found
    if (scheme !== undefined) challenges.push({ scheme: scheme.toLowerCase(), parameters: new Map() })
    else if (name !== undefined) {
      challenges.at(-1)?.parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '')
    }
  }
  return challenges
}
