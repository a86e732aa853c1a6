/** What requests are told apart by where they are counted: few values, of which none is a client's to choose. */
export interface RequestClass {
  /** `oci`, or the AWS service: `ecr`, `iam`, `lading` … */
  readonly surface: string
  readonly operation: string
}
