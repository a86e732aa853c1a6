/** Runs `work` once at a time. A caller that asks meanwhile causes one more run after it. */
export interface OneLook {
  /** Starts a run, unless `stop` was called. */
  ask(): void
  /** No run begins after this. Resolves when none runs. */
  stop(): Promise<void>
}

export function oneLook(work: () => Promise<void>, onError: (error: unknown) => void): OneLook {
  let running: Promise<void> | undefined
  let again = false
  let stopped = false

  function ask(): void {
    if (stopped) return
    if (running !== undefined) {
      again = true
      return
    }
    running = work()
      .catch(onError)
      .finally(() => {
        running = undefined
        if (!again) return
        again = false
        ask()
      })
  }

  return {
    ask,
    async stop() {
      stopped = true
      await running
    },
  }
}
