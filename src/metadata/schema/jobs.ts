import type { Generated } from 'kysely'

/** The tables of the room `jobs`. Times are milliseconds since the epoch, UTC. */
export interface JobTables {
  job: JobTable
  job_schedule: JobScheduleTable
  counter: CounterTable
  claim: ClaimTable
}

/** At most one row waits, and at most one runs, of a kind and key. */
export interface JobTable {
  id: Generated<number>
  /** Names the worker, and outlives deploys. */
  kind: string
  /** What it is about: at most one job of a kind and key runs at a time. */
  key: string
  /** JSON, parsed by its kind. */
  payload: string
  /** `waiting`, `running`, `done`, `failed` or `cancelled`. */
  state: string
  run_at: number
  /** How often it was begun. */
  attempts: number
  /** The process that runs it. */
  leased_by: string | null
  /** From when another process may take it. */
  leased_until: number | null
  last_error: string | null
  created_at: number
  finished_at: number | null
}

export interface JobScheduleTable {
  name: string
  next_at: number
}

/** What metrics count over all processes and for good. */
export interface CounterTable {
  name: string
  value: number
}

/** Work that one process does at a time, for all that wait for it. */
export interface ClaimTable {
  key: string
  holder: string
  held_until: number
}
