// What somebody who mistyped a name may have meant.

const mostNamed = 5

/** `there are alice, bob and 7 more`: those of `names` first that are most like `wanted`. */
export function nearby(wanted: string, names: readonly string[]): string {
  if (names.length === 0) return 'there is none'
  const likely = names
    .map((name) => ({ name, distance: unlikeness(wanted.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, mostNamed)
    .map(({ name }) => name)
  const more = names.length - likely.length
  return `there ${names.length === 1 ? 'is' : 'are'} ${likely.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** Who types a part of a name means that one. */
function unlikeness(wanted: string, name: string): number {
  return wanted !== '' && name.includes(wanted) ? 0 : distance(wanted, name)
}

/** How many letters one would insert, remove or exchange (Levenshtein). */
function distance(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (const [row, letter] of [...one].entries()) {
    const current = [row + 1]
    for (let column = 1; column <= other.length; column++) {
      const exchanged = (above[column - 1] ?? 0) + (letter === other[column - 1] ? 0 : 1)
      current.push(Math.min(exchanged, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    above = current
  }
  return above.at(-1) ?? 0
}
