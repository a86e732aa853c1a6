import type { Constraints } from '#aws/validate.ts'

/** The model leaves these texts open. PostgreSQL stores no text with a NUL. */
const withoutNul = { pattern: '[^\\0]*', quoted: '[^\\u0000]*' }

export const constraints = {
  ClientRequestTokenType: withoutNul,
  DescriptionType: withoutNul,
  KmsKeyIdType: withoutNul,
  SecretVersionIdType: withoutNul,
  SecretVersionStageType: withoutNul,
} as const satisfies Readonly<Record<string, Constraints>>
