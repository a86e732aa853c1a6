/** So much of a document may be white space before that counts: more than anybody's indentation takes. */
const mostSpaceShare = 8

/**
 * The size of a document as IAM's quotas count it, in characters without white space ("IAM and AWS STS quotas"); but a document
 * that is white space for the most part counts by its length, since it is kept and read whole.
 */
export function documentSize(text: string): number {
  return Math.max(text.replace(/\s/g, '').length, Math.ceil(text.length / mostSpaceShare))
}
