import type { Transaction } from '#metadata/metadata.ts'

/**
 * Runs a change of identities, credentials or policies in one transaction. From its commit on every process decides by it: what
 * any of them remembers is good until something is committed, and a token's principal for a few seconds more.
 */
export type ChangeIam = <T>(work: (trx: Transaction) => Promise<T>) => Promise<T>
