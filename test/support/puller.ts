import type { Puller } from '#registry/puller.ts'

/** A principal that may do nothing but read. */
export function aPuller(arn = ''): Puller {
  return { arn, identityArn: arn, may: async () => false }
}
