import type { Clock } from '#lib/clock.ts'
import type { AwsCredentials } from './aws-calls.ts'

/** Credentials of roles that this process has assumed, in its memory. */
export interface RoleSessions {
  /** Those of a session that lasts a while longer. Assumes the role if there is none. At most one such call per key runs at a time. */
  get(key: string, assume: () => Promise<AwsCredentials>): Promise<AwsCredentials>
  /** Forgets a session that is refused. Returns whether there was one. */
  drop(key: string): boolean
}

export function createRoleSessions(clock: Clock): RoleSessions {
  const sessions = new Map<string, Session>()
  return {
    get(key, assume) {
      const found = sessions.get(key)
      if (found !== undefined && clock() < found.usedUntil) return found.credentials
      const session = { credentials: assume(), usedUntil: clock() + (sessionSeconds - marginSeconds) * 1000 }
      sessions.set(key, session)
      session.credentials.catch(() => {
        if (sessions.get(key) === session) sessions.delete(key)
      })
      return session.credentials
    },
    drop: (key) => sessions.delete(key),
  }
}

interface Session {
  readonly credentials: Promise<AwsCredentials>
  readonly usedUntil: number
}

/** The shortest that STS has (STS API reference, "AssumeRole"). */
export const sessionSeconds = 900
/** A call and its answer take time. */
const marginSeconds = 60
