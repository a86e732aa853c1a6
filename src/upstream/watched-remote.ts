import { RemoteFailure, type RemoteRegistry } from '#remote/registry.ts'

/** How a request to an upstream ended: `absent` where the upstream does not have what it was asked for. */
export type RequestResult = 'ok' | 'absent' | RemoteFailure

/** A registry that reports how each request ended. A blob counts when it begins to arrive. */
export function watched(remote: RemoteRegistry, report: (result: RequestResult) => void): RemoteRegistry {
  async function watch<T>(asked: Promise<T>): Promise<T> {
    try {
      const answer = await asked
      report(answer === undefined ? 'absent' : 'ok')
      return answer
    } catch (error) {
      if (error instanceof RemoteFailure) report(error)
      throw error
    }
  }

  return {
    headManifest: (...asked) => watch(remote.headManifest(...asked)),
    getManifest: (...asked) => watch(remote.getManifest(...asked)),
    openBlob: (...asked) => watch(remote.openBlob(...asked)),
    listReferrers: (...asked) => watch(remote.listReferrers(...asked)),
    check: async (...asked) => {
      await watch(remote.check(...asked).then(() => true))
    },
  }
}
