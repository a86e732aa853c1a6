import type { Constraints } from '#aws/validate.ts'

/** Where ECR itself, or safety, departs from the constraints of its API model, by shape. */
export const constraints = {
  // ECR decides by the model's pattern and quotes an older one, which clients have come to match on.
  RepositoryName: { quoted: '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*' },
  // The model leaves digests open; ECR answers with this pattern.
  ImageDigest: { pattern: '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+' },
  // The same language as the model's `^[a-z0-9*](?:[._\-/a-z0-9*]?[a-z0-9*]+)*$`, which backtracks exponentially.
  ScanningRepositoryFilterValue: {
    pattern: '[a-z0-9*]+(?:[._\\-/][a-z0-9*]+)*',
    quoted: '^[a-z0-9*](?:[._\\-/a-z0-9*]?[a-z0-9*]+)*$',
  },
} as const satisfies Readonly<Record<string, Constraints>>
