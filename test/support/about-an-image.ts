/** What every call about one image of a repository has in common: how it refuses an image that is not there. */
import type { ImageIdentifier } from '@aws-sdk/client-ecr'
import { image } from '#test/support/images/build.ts'
import { digest } from '#test/support/images/content.ts'
import { type EcrSession, refusalOf } from './ecr-session.ts'

const absent = digest(Buffer.from('absent'))

type Refused = Awaited<ReturnType<typeof refusalOf>>

/** Makes such a call in each of these cases, and gives how it was refused beside how it ought to be. */
export async function refusalsOfMissingImages(
  session: EcrSession,
  call: (request: { repositoryName: string; imageId: ImageIdentifier }) => Promise<unknown>,
): Promise<{ actual: Refused[]; expected: Refused[] }> {
  const repositoryName = await session.repository()
  const [first, second] = [image({ seed: '1' }), image({ seed: '2' })]
  await session.push(repositoryName, first, 'first')
  await session.push(repositoryName, second, 'second')

  const where = `the repository with name '${repositoryName}' in the registry with id '${session.server.account}'`
  const notFound = ({ imageDigest = 'null', imageTag = 'null' }: ImageIdentifier) => ({
    name: 'ImageNotFoundException',
    message: `The image with imageId {imageDigest:'${imageDigest}', imageTag:'${imageTag}'} does not exist within ${where}`,
    status: 400,
  })
  const missing: ImageIdentifier[] = [
    { imageTag: 'absent' },
    { imageDigest: absent },
    { imageDigest: first.digest, imageTag: 'second' },
    { imageTag: 'no tag' },
  ]
  const actual: Refused[] = []
  for (const imageId of missing) actual.push(await refusalOf(call({ repositoryName, imageId })))
  actual.push(await refusalOf(call({ repositoryName, imageId: {} })))
  actual.push(await refusalOf(call({ repositoryName: 'no/such', imageId: { imageTag: 'first' } })))
  return {
    actual,
    expected: [
      ...missing.map(notFound),
      {
        name: 'InvalidParameterException',
        message:
          "Invalid parameter at 'imageId' failed to satisfy constraint: 'Invalid request parameters: both tag and digest cannot be null'",
        status: 400,
      },
      {
        name: 'RepositoryNotFoundException',
        message: `The repository with name 'no/such' does not exist in the registry with id '${session.server.account}'`,
        status: 400,
      },
    ],
  }
}
