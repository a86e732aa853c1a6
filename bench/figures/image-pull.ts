import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Comparison, timed } from '../harness/figure.ts'
import { skopeoFor, tenLayerImage } from '../harness/skopeo.ts'

/** A whole image of ten layers and 300 MB out to an empty folder, by a real client. */
export const imagePull: Comparison = {
  name: 'image-pull',
  title: 'image pull, 300 MB, by skopeo',
  unit: 'runs',
  rounds: 3,
  programs: ['skopeo'],
  async prepare(server, folder) {
    const repository = 'bench/image-pull'
    await server.createRepository(repository)
    const skopeo = await skopeoFor(server, folder)
    await skopeo.push(await tenLayerImage(), repository)
    return async () => {
      const target = await mkdtemp(join(folder, 'pulled-'))
      const result = await timed(async () => {
        await skopeo.pull(repository, `dir:${target}`)
        return 1
      })
      await rm(target, { recursive: true })
      return result
    }
  },
}
