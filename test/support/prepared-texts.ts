import { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'

/** The texts of the statements that SQLite prepares during `work`, in this process. */
export async function preparedDuring(t: Pick<TestContext, 'after'>, work: () => Promise<void>): Promise<string[]> {
  const texts: string[] = []
  const { prepare } = DatabaseSync.prototype
  const restore = () => {
    DatabaseSync.prototype.prepare = prepare
  }
  t.after(restore)
  DatabaseSync.prototype.prepare = function (this: DatabaseSync, text: string) {
    texts.push(text)
    return prepare.call(this, text)
  }
  await work()
  restore()
  return texts
}
