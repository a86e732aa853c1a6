import type { ErrorName } from '#admin/model.ts'
import type { Exceptions } from '#aws/exceptions.ts'
import type { InUseRefusals } from '#registry/refusals.ts'

export const inUseExceptions: Exceptions<InUseRefusals, ErrorName> = {
  InUseReportNotFound: [
    'InUseReportNotFoundException',
    ({ cluster }) => `No report of cluster '${cluster}' counts: it has none, or the last one has expired.`,
  ],
  TooManyInUseReports: [
    'LimitExceededException',
    ({ limit }) => `The registry has reports of ${limit} clusters already. Delete those of clusters that are gone.`,
  ],
}
