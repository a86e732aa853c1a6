import { type Digest, parseDigest } from './digest.ts'
import { parseTag, type Tag } from './tag.ts'

/** What a manifest's URL ends in: a tag or a digest (OCI distribution specification, `<reference>`). */
export type Reference =
  | { readonly tag: Tag; readonly digest?: never }
  | { readonly digest: Digest; readonly tag?: never }

/** A text with a colon is a digest, any other a tag. @throws Refusal `NameInvalid` */
export function parseReference(text: string): Reference {
  return text.includes(':') ? { digest: parseDigest(text) } : { tag: parseTag(text) }
}
