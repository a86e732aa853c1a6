import { refusals } from '#lib/refusal.ts'
import type { Digest } from '#names/digest.ts'
import type { InRepository } from '#registry/refusals.ts'

/** What the distribution API itself declines, before the domain is asked. */
export interface OciRefusals {
  EndpointUnknown: { readonly path: string }
  MethodUnsupported: { readonly method: string; readonly supported: readonly string[] }
  /** A host that is shaped like a registry's and names none. */
  HostUnresolvable: { readonly host: string }
  /** A query parameter that must be there, or must be something else. */
  ParameterInvalid: { readonly parameter: string; readonly expected: string }
  /** A header of a request that replicates. */
  HeaderInvalid: { readonly header: string; readonly expected: string }
  ContentRangeInvalid: { readonly header: string }
  /** The range of a blob that was asked for begins past its end. */
  RangeUnsatisfiable: { readonly sizeBytes: number }
  /** The client asked for the content on a condition that its digest does not meet. */
  PreconditionFailed: { readonly digest: Digest }
  /** A token of one region at the host of another's registry. */
  TokenOfOtherRegion: { readonly tokenRegion: string; readonly region: string }
  /** Asked for by a text that can name no image. */
  ImageUnnameable: InRepository & { readonly reference: string }
  DownloadLinkInvalid: Record<string, never>
  /** Anything but a pull, by the upstream's name. Pushes are for the registry at `endpoint`. */
  MirrorReadOnly: { readonly endpoint: string }
  MirrorWithoutCatalog: Record<string, never>
  /** A client that named a host which no rule caches asked for what is not here. */
  HostNotCached: InRepository & { readonly host: string }
}

export const refuse = refusals<OciRefusals>()
