/**
 * The image of a real Debian system: bootstrapped from the mirror that this machine's apt already uses, packed by
 * umoci. It has what made images lack: thousands of files, owners and modes, links, a manifest in another tool's words.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '#test/support/run.ts'

/** What `makeDebianLayout` calls; debootstrap wants to be root. */
export const debianPrograms = ['debootstrap', 'umoci', 'apt-get'] as const

/** Makes an OCI layout in `folder`, with the image under the tag `debian`. Takes about a minute. */
export async function makeDebianLayout(folder: string): Promise<void> {
  const root = `${folder}-root`
  const image = `${folder}:debian`
  try {
    const { site, codename } = await aptSource()
    await run('debootstrap', ['--variant=minbase', codename, root, site])
    // What apt downloaded is no part of a system, and would be a third of the image.
    await rm(join(root, 'var/cache/apt'), { recursive: true })
    await rm(join(root, 'var/lib/apt/lists'), { recursive: true })
    await rm(folder, { recursive: true, force: true }) // umoci makes the folder itself
    await run('umoci', ['init', '--layout', folder])
    await run('umoci', ['new', '--image', image])
    await run('umoci', ['insert', '--image', image, root, '/'])
    await run('umoci', ['config', '--image', image, '--config.cmd', '/bin/bash'])
    await run('umoci', ['gc', '--layout', folder])
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

/** Debian's main archive in apt's sources, neither updates nor security. */
async function aptSource(): Promise<{ site: string; codename: string }> {
  const format = '$(LABEL) $(CODENAME) $(SITE)'
  const targets = await run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages', 'Component: main'])
  const found = /^Debian ([a-z]+) (\S+)$/m.exec(targets)
  if (!found?.[1] || !found[2]) throw new Error(`no main archive of Debian in apt's sources:\n${targets}`)
  return { codename: found[1], site: found[2] }
}
