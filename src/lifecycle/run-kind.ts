import { jobKind } from '#jobs/kind.ts'

/** One run of the policy of one repository, by the number of its row. */
export const lifecycleRun = jobKind({
  kind: 'lifecycle-run',
  attempts: 8,
  leaseMs: 60_000,
  // Written by whoever puts a policy, or finds one due.
  parse: (document) => document as { readonly repositoryId: number },
  key: ({ repositoryId }) => String(repositoryId),
})
