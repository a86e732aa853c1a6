import type { Digest } from '#names/digest.ts'
import type { RepositoryName } from '#names/repository-name.ts'

/**
 * The turns in which images send a blob to a destination, so that two images do not send the same blob at once. An image enters with all its
 * blobs in one step. It waits only for images that entered before it, so no two images wait for one another.
 */
export interface BlobTurns {
  enter(repository: RepositoryName, digests: readonly Digest[]): ImageTurns
}

export interface ImageTurns extends Disposable {
  /**
   * Resolves when the image may look for the blob, mount it or send it: each earlier image has sent the blob to where it can be had from,
   * or has left. Rejects with the signal's reason.
   */
  wait(digest: Digest, signal: AbortSignal): Promise<void>
  /** The repository of this image has the blob now. */
  sent(digest: Digest): void
}

/**
 * `mountsFromImages`: a blob of another repository can be mounted only once an image of that repository refers to it, as in ECR. An image
 * of another repository then waits until this one leaves.
 */
export function createBlobTurns({ mountsFromImages }: { readonly mountsFromImages: boolean }): BlobTurns {
  const queues = new Map<Digest, Turn[]>()

  function join(digest: Digest, turn: Turn): void {
    const queue = queues.get(digest)
    if (queue === undefined) queues.set(digest, [turn])
    else queue.push(turn)
  }

  function leave(digest: Digest, turn: Turn): void {
    const left = (queues.get(digest) ?? []).filter((each) => each !== turn)
    if (left.length > 0) queues.set(digest, left)
    else queues.delete(digest)
    turn.change()
  }

  function findBefore(digest: Digest, own: Turn): Turn | undefined {
    const queue = queues.get(digest) ?? []
    return queue.slice(0, queue.indexOf(own)).find(({ isSent, repository }) => {
      return !isSent || (mountsFromImages && repository !== own.repository)
    })
  }

  return {
    enter(repository, digests) {
      const turns = new Map(digests.map((digest) => [digest, new Turn(repository)]))
      for (const [digest, turn] of turns) join(digest, turn)
      return {
        async wait(digest, signal) {
          const own = turns.get(digest)
          for (let before = own && findBefore(digest, own); own && before; before = findBefore(digest, own)) {
            await before.untilChanged(signal)
          }
          signal.throwIfAborted()
        },
        sent(digest) {
          const turn = turns.get(digest)
          if (turn === undefined) return
          turn.isSent = true
          turn.change()
        },
        [Symbol.dispose]() {
          for (const [digest, turn] of turns) leave(digest, turn)
        },
      }
    },
  }
}

/** The place of one image in the queue for one blob. */
class Turn {
  readonly repository: RepositoryName
  isSent = false
  readonly #waiting = new Set<() => void>()

  constructor(repository: RepositoryName) {
    this.repository = repository
  }

  change(): void {
    for (const wake of [...this.#waiting]) wake()
  }

  untilChanged(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#waiting.delete(wake)
        signal.removeEventListener('abort', stop)
      }
      const wake = () => {
        end()
        resolve()
      }
      const stop = () => {
        end()
        reject(signal.reason)
      }
      if (signal.aborted) return stop()
      this.#waiting.add(wake)
      signal.addEventListener('abort', stop, { once: true })
    })
  }
}
