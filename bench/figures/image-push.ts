import { type Comparison, timed } from '../harness/figure.ts'
import { skopeoFor, tenLayerImage } from '../harness/skopeo.ts'

/** A whole image of ten layers and 300 MB into a repository of its own, by a real client. */
export const imagePush: Comparison = {
  name: 'image-push',
  title: 'image push, 300 MB, by skopeo',
  unit: 'runs',
  rounds: 3,
  programs: ['skopeo'],
  async prepare(server, folder) {
    const source = await tenLayerImage()
    const skopeo = await skopeoFor(server, folder)
    let pushes = 0
    return async () => {
      const repository = `bench/image-push-${pushes++}`
      await server.createRepository(repository)
      await skopeo.forgetBlobs()
      return timed(async () => {
        await skopeo.push(source, repository)
        return 1
      })
    }
  },
}
