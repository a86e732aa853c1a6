import { refusals } from '#lib/refusal.ts'
import type { Digest } from '#names/digest.ts'
import type { Registry } from '#names/registry.ts'
import type { InRepository } from '#registry/refusals.ts'

/** What is declined of the recycle bin, which neither ECR nor the distribution API knows. */
export interface RecycleBinRefusals {
  /** It was not deleted, or is gone for good. */
  DeletedImageNotFound: InRepository & { readonly digest: Digest }
  DeletedRepositoryNotFound: { readonly registry: Registry; readonly id: number }
}

export const refuseDeleted = refusals<RecycleBinRefusals>()
