import type { Page } from './page.ts'

/** All pages of a listing one after the other, each read when it is asked for. */
export async function* everyPage<Item, Key>(
  read: (after: Key | undefined) => Promise<Page<Item, Key>>,
): AsyncGenerator<readonly Item[], void, void> {
  let after: Key | undefined
  do {
    const page: Page<Item, Key> = await read(after)
    yield page.items
    after = page.next
  } while (after !== undefined)
}
