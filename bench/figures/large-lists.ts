import { waitUntilLifecyclePolicyPreviewComplete } from '@aws-sdk/client-ecr'
import type { Digest } from '#names/digest.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { manifestLimitBytes } from '#registry/manifest.ts'
import { artifact, type Image, image } from '#test/support/images/build.ts'
import { digest } from '#test/support/images/content.ts'
import { Connection } from '../harness/connection.ts'
import type { Limit } from '../harness/figure.ts'
import { type LadingServer, startLading } from '../harness/lading.ts'
import { holdsEnvironment, leastHold } from '../harness/longest-hold.ts'
import { expectStatus, pushImage, requestHead } from '../harness/requests.ts'

const name = parseRepositoryName('bench/large-lists')
const repositoryName: string = name
const images = 24
/** As many as one answer of BatchGetImage may have. */
const imagesAtOnce = 7
const annotationBytes = 1024 * 1024

/**
 * The longest time that one list of images holds a server's event loop, where each manifest has 4 MiB. The client asks for each list
 * three times, and the least of the three counts: a longer one has a garbage collection in it.
 */
export const largeLists: Limit = {
  name: 'large-lists',
  title: `longest hold of the event loop, lists of ${images} images of 4 MiB`,
  unit: 'ms',
  atMost: 20,
  async measure() {
    await using server = await startLading({ environment: holdsEnvironment })
    await server.createRepository(repositoryName)
    using connection = await Connection.open(server.port)
    const subject = image({ layers: [1_000] })
    const pushed = Array.from({ length: images }, (_, at) => largeImage(`image ${at}`, subject))
    for (const [at, image] of pushed.entries()) {
      await pushImage(connection, server, { repository: repositoryName, tag: `v${at}`, image })
    }
    const imageIds = pushed.map(({ digest }) => ({ imageDigest: digest }))
    const longest = await longestOf(server, listsOf(server, connection, subject.digest, imageIds))
    await server.ecr.batchDeleteImage({ repositoryName, imageIds })
    const ListDeletedImages = () => server.api.call('ListDeletedImages', { repositoryName: name })
    return Math.max(longest, await longestOf(server, { ListDeletedImages }))
  },
}

type Lists = Readonly<Record<string, () => Promise<unknown>>>

async function longestOf({ folder }: LadingServer, lists: Lists): Promise<number> {
  let longest = 0
  for (const [name, list] of Object.entries(lists)) longest = Math.max(longest, await leastHold(folder, name, list))
  return longest
}

function listsOf(
  server: LadingServer,
  connection: Connection,
  subject: Digest,
  imageIds: { readonly imageDigest: Digest }[],
): Lists {
  const { ecr, api } = server
  const selection = { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 1 } as const
  const rules = [{ rulePriority: 1, selection, action: { type: 'expire' } }]
  const lifecyclePolicyText = JSON.stringify({ rules })
  const get = async (path: string) => {
    expectStatus(await connection.exchange(requestHead(server, 'GET', `/v2/${name}/${path}`)), 200)
  }
  return {
    ListImages: () => ecr.listImages({ repositoryName }),
    DescribeImages: () => ecr.describeImages({ repositoryName }),
    'DescribeImages by digest': () => ecr.describeImages({ repositoryName, imageIds }),
    BatchGetImage: () => ecr.batchGetImage({ repositoryName, imageIds: imageIds.slice(0, imagesAtOnce) }),
    ListImageReferrers: () => ecr.listImageReferrers({ repositoryName, subjectId: { imageDigest: subject } }),
    'GET referrers': () => get(`referrers/${subject}`),
    'GET tags/list': () => get('tags/list'),
    StartLifecyclePolicyPreview: async () => {
      await ecr.startLifecyclePolicyPreview({ repositoryName, lifecyclePolicyText })
      const waiting = { client: ecr, minDelay: 0.05, maxDelay: 0.05, maxWaitTime: 60 }
      await waitUntilLifecyclePolicyPreviewComplete(waiting, { repositoryName })
    },
    PreviewLifecycle: () => api.call('PreviewLifecycle', { repositoryName: name, lifecyclePolicyText }),
  }
}

/** A referrer of `subject`. Most of its bytes are where no list looks. */
function largeImage(seed: string, subject: Image): Image {
  const annotations = { seed, note: 'n'.repeat(annotationBytes) }
  const small = artifact({ artifactType: 'application/vnd.example.large', subject, annotations })
  const manifest = JSON.parse(small.bytes.toString())
  const padding = 'p'.repeat(manifestLimitBytes - annotationBytes - 2_000)
  const bytes = Buffer.from(JSON.stringify({ ...manifest, config: { ...manifest.config, annotations: { padding } } }))
  return { ...small, bytes, digest: digest(bytes) }
}
