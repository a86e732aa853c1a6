/** Pushing an image by the ECR API, step by step, as any client of it. */
import type { ECR } from '@aws-sdk/client-ecr'
import { type Image, manifestsOf } from '#test/support/images/build.ts'

/** Pushes a blob in one part, unless the repository has it. */
export async function pushBlobTo(
  ecr: ECR,
  repositoryName: string,
  { digest, bytes }: { readonly digest: string; readonly bytes: Uint8Array },
): Promise<void> {
  const { layers } = await ecr.batchCheckLayerAvailability({ repositoryName, layerDigests: [digest] })
  if (layers?.[0]?.layerAvailability === 'AVAILABLE') return
  const { uploadId } = await ecr.initiateLayerUpload({ repositoryName })
  const partLastByte = bytes.byteLength - 1
  await ecr.uploadLayerPart({ repositoryName, uploadId, partFirstByte: 0, partLastByte, layerPartBlob: bytes })
  await ecr.completeLayerUpload({ repositoryName, uploadId, layerDigests: [digest] })
}

/** Pushes the image with everything below it; the tag goes to the topmost manifest. */
export async function pushImageTo(ecr: ECR, repositoryName: string, image: Image, imageTag?: string): Promise<void> {
  for (const { blobs, ...manifest } of manifestsOf(image)) {
    for (const blob of blobs) await pushBlobTo(ecr, repositoryName, blob)
    await ecr.putImage({
      repositoryName,
      imageManifest: manifest.bytes.toString(),
      imageTag: manifest.digest === image.digest ? imageTag : undefined,
    })
  }
}
