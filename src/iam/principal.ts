import type { AccountId } from '#names/account.ts'

/** Who a request comes from, once its credentials have been verified. */
export interface Principal {
  /** The account that the principal belongs to, and whose registry it means when it names none. */
  readonly account: AccountId
  /** `arn:aws:iam::<account>:root`, `…:user/<name>` or an assumed role's session, as policies and texts name it. */
  readonly arn: string
  /** The unique id that STS reports; the account's number for root. */
  readonly userId: string
  /** The access key that signed, where the request was signed. */
  readonly accessKeyId?: string
  /** Since when that key has its secret: it tells a key from one that replaced it under the same id. Milliseconds since the epoch. */
  readonly accessKeySince?: number
}
