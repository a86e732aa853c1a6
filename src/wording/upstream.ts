import type { UpstreamContentRefusals } from '#upstream/refusals.ts'

/** What both planes say of content that an upstream does not hand out. The beginnings are ECR's, where its texts are known. */
export const upstreamTexts = {
  UpstreamUnavailable: ({ upstreamUrl, repository, reason }) =>
    `The upstream registry ${upstreamUrl} is unavailable, and ${repository} does not have this content yet. ${reason}. Try again later`,

  UpstreamLimited: ({ upstreamUrl, repository, retryAfterMs }) =>
    `The upstream registry ${upstreamUrl} limits the rate of requests, and ${repository} does not have this content yet. ${
      retryAfterMs === undefined ? 'Try again later' : `Try again after ${Math.ceil(retryAfterMs / 1_000)} s`
    }`,

  // The first sentences are ECR's (aws/containers-roadmap issue 2354).
  UpstreamDenied: ({ upstreamUrl, isLogin, reason }) =>
    isLogin
      ? `The authentication to the upstream registry failed. Verify that the credentials of the pull through cache rule for ${upstreamUrl} are valid. ${reason}`
      : `The upstream registry ${upstreamUrl} denies access to this repository. ${reason}. Official images of Docker Hub are below library/`,

  UpstreamCredentialsUnusable: ({ upstreamUrl, reason }) =>
    `The credentials of the pull through cache rule for ${upstreamUrl} cannot be used: ${reason}`,

  UpstreamBlobMissing: ({ digest, repository }) =>
    `The upstream registry does not have the layer ${digest}, to which an image of ${repository} refers`,
} as const satisfies {
  readonly [Code in keyof UpstreamContentRefusals]: (facts: UpstreamContentRefusals[Code]) => string
}
