import { refusals } from '#lib/refusal.ts'
import type { InRepository } from '#registry/refusals.ts'
import type { ImageIdentifier } from './model.ts'

/** What the ECR API itself declines, before or after the domain is asked. */
export interface EcrRefusals {
  /** A constraint that the API model does not state. `member` is spelt as ECR spells it in its error. */
  ParameterInvalid: { readonly member: string; readonly constraint: string }
  /** Asked for by a text that is a tag or a digest to ECR's model, but can be that of no image here. */
  ImageUnnameable: InRepository & { readonly imageId: ImageIdentifier }
  /** The same content stands under the same tag already. */
  ImageUnchanged: InRepository & { readonly digest: string; readonly tag: string | undefined }
  /** Pushed with a digest of an algorithm or a form that no manifest here can have. */
  ManifestDigestUnusable: InRepository & { readonly given: string }
  /** So much text in one answer. */
  ManifestsTooMany: { readonly limit: number }
  LayerUnnameable: InRepository & { readonly digest: string }
  /** A layer completed with digests none of which can be that of content here. */
  /** What an upstream said, in words. */
  UpstreamLayerFailed: { readonly text: string }
  UpstreamReferrersFailed: { readonly text: string }
  LayerDigestsUnusable: { readonly given: readonly string[] }
}

export const refuse = refusals<EcrRefusals>()
