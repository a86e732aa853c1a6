/**
 * Real clients that pull images, each from an empty storage of its own, and that check what they pulled: container engines by the digest
 * under which they know the image, tools that copy by all bytes.
 */
import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { startContainerd } from './containerd.ts'
import { startDockerEngine } from './docker-engine.ts'
import { type Image, manifestsOf } from './images/build.ts'
import { contentOf } from './images/compare.ts'
import { writeDirectory } from './images/directory.ts'
import { writeLayout } from './images/layout.ts'
import { needs, run } from './run.ts'
import type { Session } from './session.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** An image of an upstream. */
export interface Wanted {
  /** As the upstream has it. */
  readonly repository: string
  readonly image: Image
  readonly tag: string
}

export interface PullingClient {
  readonly name: string
  /** The programs that it needs. */
  readonly programs: readonly string[]
  /** Pulls each image below a prefix of the cache, by its tag or its digest. */
  pull(place: Place, wanted: readonly Wanted[]): Promise<void>
}

export interface Place {
  /** Logged in at the server. */
  readonly session: Session
  readonly prefix: string
  /** The registry's name in names of its images, for clients that pull without the prefix. */
  readonly upstreamName: string
}

export const pullingClients: readonly PullingClient[] = [
  { name: 'docker', programs: ['docker', 'dockerd'], pull: pullByDocker },
  { name: 'podman', programs: ['podman'], pull: pullByPodman },
  { name: 'containerd, by the name upstream,', programs: ['containerd', 'ctr'], pull: pullByContainerd },
  { name: 'skopeo', programs: ['skopeo'], pull: pullBySkopeo },
  { name: 'crane', programs: ['crane'], pull: pullByCrane },
]

/** Options of a test with that client. */
export function needsClient({ programs }: PullingClient) {
  return needs(...programs)
}

function nameOf({ session, prefix }: Place, { repository }: Wanted): string {
  return `${session.host}/${prefix}/${repository}`
}

async function pullByDocker(place: Place, wanted: readonly Wanted[]): Promise<void> {
  await using folder = await temporaryFolder()
  await using engine = await startDockerEngine(folder.path)
  const docker = (...args: string[]) => run('docker', args, { env: { ...place.session.env, DOCKER_HOST: engine.host } })
  // Docker unpacks zstd since version 23, and Debian has older ones.
  for (const [at, each] of wanted.filter(({ tag }) => tag !== 'zstd').entries()) {
    const name = nameOf(place, each)
    const reference = referenceOf(name, each, at)
    await docker('pull', '--quiet', reference)
    const digests = await docker('image', 'inspect', '--format', '{{join .RepoDigests " "}}', reference)
    assert.equal(digests.trim(), `${name}@${each.image.digest}`)
    await docker('image', 'rm', '--force', reference)
  }
}

async function pullByPodman(place: Place, wanted: readonly Wanted[]): Promise<void> {
  await using folder = await temporaryFolder()
  const storage = ['--root', join(folder.path, 'root'), '--runroot', join(folder.path, 'run')]
  const options = [...storage, '--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs', '--events-backend', 'none']
  const podman = (...args: string[]) => place.session.run('podman', [...options, ...args])
  for (const [at, each] of wanted.entries()) {
    const name = nameOf(place, each)
    // podman takes no name with both.
    const reference = referenceOf(name, each, at % 2)
    await podman('pull', '--quiet', '--tls-verify=false', reference)
    const digests = await podman('image', 'inspect', '--format', '{{join .RepoDigests " "}}', reference)
    assert.ok(digests.includes(`${name}@${each.image.digest}`), digests)
  }
}

/** By tag, by digest and by both, in turn. */
function referenceOf(name: string, { tag, image }: Wanted, turn: number): string {
  return [`${name}:${tag}`, `${name}@${image.digest}`, `${name}:${tag}@${image.digest}`][turn % 3] ?? name
}

async function pullByContainerd({ session, upstreamName }: Place, wanted: readonly Wanted[]): Promise<void> {
  await using folder = await temporaryFolder()
  await using containerd = await startContainerd(folder.path)
  const server = `http://${session.host}`
  await containerd.setHost(
    upstreamName,
    `server = "${server}"\n[host."${server}"]\n  capabilities = ["pull", "resolve"]\n`,
  )
  const user = `AWS:${await session.password()}`
  const pulled = wanted.map(({ repository, tag, image }) => ({
    name: `${upstreamName}/${repository}:${tag}`,
    image,
  }))
  for (const { name } of pulled) await containerd.pull(name, { user })
  const expected = pulled.map(({ name, image }) => `${name}@${image.digest}`)
  assert.deepEqual(new Set(await containerd.images()), new Set(expected))
}

async function pullBySkopeo(place: Place, wanted: readonly Wanted[]): Promise<void> {
  await using folder = await temporaryFolder()
  for (const [at, each] of wanted.entries()) {
    const [expected, out] = [join(folder.path, `expected-${at}`), join(folder.path, `out-${at}`)]
    await writeDirectory(expected, each.image)
    const source = `docker://${nameOf(place, each)}:${each.tag}`
    await place.session.run('skopeo', ['copy', '--all', '--src-tls-verify=false', source, `dir:${out}`])
    assert.deepEqual(await contentOf(out), await contentOf(expected))
  }
}

async function pullByCrane(place: Place, wanted: readonly Wanted[]): Promise<void> {
  await using folder = await temporaryFolder()
  for (const [at, each] of wanted.entries()) {
    const [expected, out] = [join(folder.path, `expected-${at}`), join(folder.path, `out-${at}`)]
    const name = nameOf(place, each)
    await mkdir(expected)
    await writeLayout(expected, each.image)
    assert.equal((await place.session.run('crane', ['digest', `${name}:${each.tag}`])).trim(), each.image.digest)
    await place.session.run('crane', ['pull', '--format', 'oci', `${name}@${each.image.digest}`, out])
    assert.deepEqual(await contentOf(out), await contentOf(expected))
    for (const child of manifestsOf(each.image)) {
      assert.equal(await place.session.run('crane', ['manifest', `${name}@${child.digest}`]), String(child.bytes))
    }
  }
}
