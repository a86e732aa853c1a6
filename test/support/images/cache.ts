/**
 * Images that take long to make are made once per machine, in a folder outside the project: `LADING_TEST_IMAGES`, or
 * one under the system's folder for temporary files. An entry is whole or absent, whoever else makes it meanwhile.
 */
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * The folder of the entry `name`, filled by `make` if it is not there yet. Whoever changes what `make` does changes the
 * name.
 */
export async function cached(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const cache = process.env.LADING_TEST_IMAGES ?? join(tmpdir(), 'lading-test-images')
  const entry = join(cache, name)
  if (await exists(entry)) return entry
  await mkdir(cache, { recursive: true })
  const draft = await mkdtemp(join(cache, '.draft-'))
  try {
    await make(draft)
    await rename(draft, entry)
  } catch (error) {
    if (!(await exists(entry))) throw error // otherwise another process was faster, and its entry serves
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return entry
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined
}
