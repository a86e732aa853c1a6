/**
 * What is noted in memory and written later, in batches, so that nobody who notes something waits for a commit. Writes of one
 * kind follow one another; a crash loses what was noted since the last of them.
 */
export interface WriteBehind {
  /** Writes what has been noted so far. */
  flush(): Promise<void>
  /** Ends the batches and writes what is left; what cannot be written then is told to `onError`. */
  stop(): Promise<void>
}

export interface WriteBehindParts {
  readonly everyMs: number
  /** Takes what has been noted since it was last called, and writes it. */
  readonly write: () => Promise<void>
  /** Told of a batch that nobody waited for and that failed; the next one goes on. */
  readonly onError: (error: unknown) => void
}

export function createWriteBehind({ everyMs, write, onError }: WriteBehindParts): WriteBehind {
  let last: Promise<void> = Promise.resolve()

  function flush(): Promise<void> {
    last = last.catch(() => {}).then(write)
    return last
  }

  // A store that stalls must not gather a queue of writes that all wait for the first.
  let waiting = false
  const timer = setInterval(() => {
    if (waiting) return
    waiting = true
    void flush()
      .catch(onError)
      .finally(() => {
        waiting = false
      })
  }, everyMs).unref()

  return {
    flush,
    async stop() {
      clearInterval(timer)
      await flush().catch(onError)
    },
  }
}
