/** A principal that pulls from one repository. */
export interface Puller {
  /** The ARN of the principal; of a session, where it is one. Empty for a download link. */
  readonly arn: string
  /** The ARN of the user or role that it is. */
  readonly identityArn: string
  /** Whether the principal may also do this in the repository. */
  may(action: PullThroughAction): Promise<boolean>
}

/** What a pull needs beside the right to read, where the image comes from an upstream (ECR user guide, "IAM permissions required to sync an upstream registry"). */
export type PullThroughAction = 'ecr:BatchImportUpstreamImage' | 'ecr:CreateRepository'
