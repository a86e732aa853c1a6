/** Milliseconds since the epoch, UTC. Passed in wherever time is read, so that a test can move it. */
export type Clock = () => number

export const systemClock: Clock = () => Date.now()
