import type { Transaction } from '#metadata/metadata.ts'

/**
 * Runs a change of identities, credentials or policies in one transaction. Once it is committed this process decides nothing
 * by what it remembered before; others notice within five seconds.
 */
export type ChangeIam = <T>(work: (trx: Transaction) => Promise<T>) => Promise<T>
