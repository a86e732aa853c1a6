import { refusals } from '#lib/refusal.ts'
import type { Digest } from '#names/digest.ts'
import type { InRepository } from '#registry/refusals.ts'

/** What is declined of the recycle bin, which neither ECR nor the distribution API knows. */
export interface RecycleBinRefusals {
  /** It was not deleted, or is gone for good. */
  DeletedImageNotFound: InRepository & { readonly digest: Digest }
  /** None of that name, or none of that name and id. */
  DeletedRepositoryNotFound: InRepository & { readonly id: number | undefined }
}

export const refuseDeleted = refusals<RecycleBinRefusals>()
