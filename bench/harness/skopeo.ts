/** skopeo with a home of its own, so that it neither reads nor leaves anything in the home of whoever measures. */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { sampleSource, samples } from '#test/support/images/samples.ts'
import { run } from '#test/support/run.ts'
import type { Server } from './server.ts'

export interface Skopeo {
  push(source: string, repository: string): Promise<void>
  pull(repository: string, target: string): Promise<void>
  /** Makes the next push send every blob, where skopeo would mount those that it remembers from another repository. */
  forgetBlobs(): Promise<void>
}

export async function skopeoFor({ port, password }: Server, folder: string): Promise<Skopeo> {
  const home = await mkdtemp(join(folder, 'skopeo-'))
  const env = {
    HOME: home,
    TMPDIR: home,
    XDG_DATA_HOME: home,
    XDG_RUNTIME_DIR: home,
    // Root's memory of blobs would lie in /var/lib; that of anybody else lies in their home.
    _CONTAINERS_ROOTLESS_UID: '1000',
  }
  const copy = async (side: 'src' | 'dest', source: string, target: string) => {
    const credentials = password === undefined ? [] : [`--${side}-creds=AWS:${password}`]
    const options = ['--insecure-policy', 'copy', '--quiet', `--${side}-tls-verify=false`, ...credentials]
    await run('skopeo', [...options, source, target], { env })
  }
  const remote = (repository: string) => `docker://127.0.0.1:${port}/${repository}:v1`
  return {
    push: (source, repository) => copy('dest', source, remote(repository)),
    pull: (repository, target) => copy('src', remote(repository), target),
    forgetBlobs: () => rm(join(home, 'containers'), { recursive: true, force: true }),
  }
}

/** As skopeo takes it; made once per machine. */
export async function tenLayerImage(): Promise<string> {
  const sample = samples.find(({ name }) => name === 'ten-layers')
  if (sample === undefined) throw new Error('there is no such sample')
  return sampleSource(sample)
}
