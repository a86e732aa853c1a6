// The tiers of tests, and which of them each run covers. CONTRIBUTING.md says where a new test belongs.

export interface Tier {
  /** A test that runs longer fails. A test may set its own `timeout`. */
  readonly testTimeoutMs: number
  /** The tier is interrupted after this time. A machine with two idle cores needs a fraction of it. */
  readonly deadlineMs: number
  /** All files share one process. Otherwise each file has its own. */
  readonly oneProcess: boolean
  /** Temporary files may lie in memory. */
  readonly inMemory: boolean
}

const second = 1_000
const minute = 60 * second

export const tiers = {
  unit: { testTimeoutMs: 30 * second, deadlineMs: 5 * minute, oneProcess: true, inMemory: true },
  integration: { testTimeoutMs: 3 * minute, deadlineMs: 30 * minute, oneProcess: false, inMemory: true },
  clients: { testTimeoutMs: 10 * minute, deadlineMs: 30 * minute, oneProcess: false, inMemory: false },
  endurance: { testTimeoutMs: 30 * minute, deadlineMs: 150 * minute, oneProcess: false, inMemory: false },
} as const satisfies Readonly<Record<string, Tier>>

export type TierName = keyof typeof tiers

/** What one command runs. */
export interface Scope {
  /** Files and folders, relative to the project. */
  readonly paths: readonly string[]
  /** The whole run is interrupted after this time. */
  readonly deadlineMs: number
  /** On which databases tests run and how hard the endurance tests try, for variables that the caller has not set. */
  readonly environment: Readonly<Record<string, string>>
}

/** `npm test` leaves PostgreSQL to the tests of `eachDatabase`. */
const everyDatabase = { LADING_TEST_DATABASES: 'sqlite,postgres' }

const everything = ['test/unit', 'test/integration', 'test/clients', 'test/endurance']

export const scopes = {
  /** `npm test` */
  default: { paths: ['test/unit', 'test/integration'], deadlineMs: 40 * minute, environment: {} },
  /** `npm run test:ci`. An endurance test that is not listed here runs in `test:all` alone. */
  ci: {
    paths: [
      'test/unit',
      'test/integration',
      'test/clients',
      'test/endurance/collection-crash.test.ts',
      'test/endurance/crash.test.ts',
      'test/endurance/full-disk.test.ts',
      'test/endurance/pull-through-kills.test.ts',
      'test/endurance/pull-through-storm.test.ts',
      'test/endurance/replication-link.test.ts',
      'test/endurance/scale.test.ts',
      'test/endurance/soak.test.ts',
      'test/endurance/storage-usage.test.ts',
      'test/endurance/webhooks.test.ts',
    ],
    deadlineMs: 55 * minute,
    environment: {
      ...everyDatabase,
      LADING_TEST_CRASHES: '100',
      LADING_TEST_LINK_CUTS: '8',
      LADING_TEST_LINK_IMAGES: '60',
      LADING_TEST_LINK_KILLS: '4',
      LADING_TEST_SOAK_SECONDS: '40',
    },
  },
  /** `npm run test:all` */
  all: {
    paths: everything,
    deadlineMs: 200 * minute,
    environment: {
      ...everyDatabase,
      LADING_TEST_CRASHES: '100',
      LADING_TEST_COLLECTOR_KILLS: '25',
      LADING_TEST_FETCH_KILLS: '20',
      LADING_TEST_SOAK_SECONDS: '120',
      LADING_TEST_STORM: 'full',
    },
  },
} as const satisfies Readonly<Record<string, Scope>>

/** The tier that a file of tests belongs to. */
export function tierOf(path: string): TierName | undefined {
  const names = Object.keys(tiers) as TierName[] // The table's own keys.
  return names.find((name) => path.startsWith(`test/${name}/`))
}
