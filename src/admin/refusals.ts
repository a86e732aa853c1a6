import { refusals } from '#lib/refusal.ts'

/** What operations about access decline. */
export interface AccessRefusals {
  PrincipalUnknown: { readonly principal: string }
  /** Of another account than the caller's. */
  NotYours: { readonly principal: string }
  /** Of the characters of its keys and values. */
  ContextTooLong: { readonly most: number }
  RequestUnknown: { readonly requestId: string }
}

/** What every listing declines. */
export interface ListingRefusals {
  /** A `nextToken` that the listing did not give. */
  PageTokenInvalid: Readonly<Record<never, never>>
}

/** What operations about the recycle bin decline before they ask. */
export interface RecycleBinAskRefusals {
  /** Neither one image was named nor all of them, or both. */
  PurgeAmbiguous: Readonly<Record<never, never>>
}

/** What operations about tags decline. */
export interface TagRefusals {
  /** Where a tag is to point is said by a digest and by a time. */
  RollbackAmbiguous: Readonly<Record<never, never>>
  /** What a tag will point to then nobody knows. */
  TimeAhead: { readonly at: number; readonly now: number }
}

/** What operations about the pull through cache decline. */
export interface CacheAskRefusals {
  /** Neither a repository nor a prefix is named, or both are, or a tag without a repository. */
  RefreshAmbiguous: Readonly<Record<never, never>>
  /** Neither a tag nor a digest is given. */
  ImageUnnamed: Readonly<Record<never, never>>
}

/** What operations about webhooks decline. */
export interface WebhookAskRefusals {
  /** Neither an event nor all dead ones are named, or both are. */
  RedeliveryAmbiguous: Readonly<Record<never, never>>
}

/** What a test of an event pattern declines. */
export interface EventAskRefusals {
  /** The event is no JSON object. */
  EventUnreadable: Readonly<Record<never, never>>
}

export const refuse = refusals<
  AccessRefusals &
    ListingRefusals &
    RecycleBinAskRefusals &
    TagRefusals &
    CacheAskRefusals &
    WebhookAskRefusals &
    EventAskRefusals
>()
