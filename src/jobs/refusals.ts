import { refusals } from '#lib/refusal.ts'

/** What is declined of a job that a person names. */
export interface JobRefusals {
  JobNotFound: { readonly id: number }
  /** It runs, or is done. */
  JobNotRetryable: { readonly id: number; readonly state: string }
  JobNotCancellable: { readonly id: number; readonly state: string }
  /** `known` are those that there are. */
  ScheduleNotFound: { readonly name: string; readonly known: readonly string[] }
}

export const refuseJob = refusals<JobRefusals>()
