/**
 * Where answers of AWS do not keep to its own service description. The trimmed model has the values of both, so that the
 * check of answers accepts what AWS sends. By service, then by shape or operation.
 */
interface Corrections {
  /** Values that a shape's `enum` lacks. */
  readonly enums: Readonly<Record<string, readonly string[]>>
  /** Exceptions that an operation does not list, by code, each with its status. */
  readonly errors: Readonly<Record<string, Readonly<Record<string, number>>>>
}

export const corrections: Readonly<Record<string, Corrections>> = {
  iam: {
    enums: {
      // In GetUser and GetRole.
      PermissionsBoundaryAttachmentType: ['Policy'],
      // In SimulatePrincipalPolicy, for every policy of an identity.
      PolicySourceType: ['IAM Policy'],
    },
    errors: {
      // For a permissions boundary that does not exist.
      CreateRole: { NoSuchEntity: 404 },
    },
  },
  sts: {
    enums: {},
    errors: {
      // For session tags that repeat or contradict one another.
      AssumeRole: { InvalidParameterValue: 400 },
    },
  },
}
