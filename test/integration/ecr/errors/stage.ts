/** Where errors are provoked: a registry of its own for each, in a region that no other has, so that names can be the same. */
import type { ECR } from '@aws-sdk/client-ecr'
import type { Operations } from '#ecr/model.ts'
import { openMetadata } from '#metadata/open.ts'
import { sqliteUrl } from '#test/support/databases.ts'
import { pushBlobTo, pushImageTo } from '#test/support/ecr-push.ts'
import { startEcrSession } from '#test/support/ecr-session.ts'
import type { Image } from '#test/support/images/build.ts'
import { until } from '#test/support/until.ts'

export const registryId = '000000000000'
export const repositoryName = 'team/app'

export interface Stage {
  readonly ecr: ECR
  readonly facts: Facts
  /** Creates the repository, and pushes the images, with the tag. */
  repository(...images: readonly (readonly [image: Image, tag?: string])[]): Promise<void>
  /** Pushes what the image refers to, and not the image. */
  blobs(image: Image): Promise<void>
  /** Begins an upload of these parts, to be the upload of the facts. */
  upload(...parts: readonly Uint8Array[]): Promise<void>
  /** Has the previews of all repositories in progress, as they are while a server is busy with them. */
  resumePreviews(): Promise<void>
}

/** What the input of a call and the text of its refusal need of the stage. */
export interface Facts {
  readonly region: string
  readonly uploadId: string
}

/** An error that can be provoked. */
export interface Provoked {
  readonly given?: (stage: Stage) => Promise<unknown>
  readonly input: object | ((facts: Facts) => object)
  readonly message: string | ((facts: Facts) => string)
}

/** One that no request gets, and why. */
export interface Never {
  readonly never: string
}

type ErrorsOf<Name extends keyof Operations> = Exclude<Operations[Name]['errors'], 'ServerException'>

/** An operation or an error of the model that is missing does not compile. */
export type ErrorTable = {
  readonly [Name in keyof Operations]: { readonly [Error in ErrorsOf<Name>]: Provoked | Never }
}

/** Quotas that are soon reached. */
const quotas = Object.entries({
  ...{ repositories: 2, images: 2, tags: 2, layerParts: 2, pullTimeUpdateExclusions: 1 },
  ...{ repositoryCreationTemplates: 1, pullThroughCacheRules: 1 },
})

export async function openStages() {
  const database = await sqliteUrl()
  const environment = { LADING_QUOTAS: quotas.map(([name, count]) => `${name}=${count}`).join(',') }
  const session = await startEcrSession({ database, environment })
  let count = 0
  return {
    stage(): Stage {
      const region = `stage-${++count}`
      const facts = { region, uploadId: '' }
      const ecr = session.client({ region })
      return {
        ecr,
        facts,
        async repository(...images) {
          await ecr.createRepository({ repositoryName })
          for (const [image, tag] of images) await pushImageTo(ecr, repositoryName, image, tag)
        },
        async blobs({ blobs }) {
          for (const blob of blobs) await pushBlobTo(ecr, repositoryName, blob)
        },
        async upload(...parts) {
          const { uploadId = '' } = await ecr.initiateLayerUpload({ repositoryName })
          let partFirstByte = 0
          for (const layerPartBlob of parts) {
            const partLastByte = partFirstByte + layerPartBlob.byteLength - 1
            await ecr.uploadLayerPart({ repositoryName, uploadId, partFirstByte, partLastByte, layerPartBlob })
            partFirstByte = partLastByte + 1
          }
          facts.uploadId = uploadId
        },
        async resumePreviews() {
          const metadata = await openMetadata(database, (error) => {
            throw error
          })
          // Earlier it would still become complete.
          await until(async () => {
            const { numUpdatedRows } = await metadata.transaction((trx) =>
              trx
                .updateTable('lifecycle_preview')
                .set({ status: 'IN_PROGRESS' })
                .where('status', '=', 'COMPLETE')
                .executeTakeFirst(),
            )
            return numUpdatedRows > 0n
          })
          await metadata.close()
        },
      }
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  }
}
