const firstMs = 2_000
const longestMs = 60 * 60 * 1_000

/** How long to wait after so many failures: twice as long each time, up to an hour, and not all at once. `random` is below 1. */
export function backoffMs(failures: number, random: number): number {
  const longest = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 30))
  return Math.round(longest * (0.5 + random / 2))
}
