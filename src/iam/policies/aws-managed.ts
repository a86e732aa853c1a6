import { createHash } from 'node:crypto'

/**
 * The managed policies that every account has from the start and none can change: AWS's own for ECR, IAM and Secrets Manager, as far as what
 * they grant means something here (AWS managed policy reference). Only the version in force is there.
 */
export interface AwsManagedPolicy {
  readonly arn: string
  /** `ANPA…`, made from the ARN: AWS's own ids say nothing to anybody. */
  readonly id: string
  readonly name: string
  readonly path: string
  readonly description: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly version: number
  readonly document: string
}

interface Given {
  readonly path?: string
  readonly description: string
  readonly created: string
  readonly version: number
  readonly statements: readonly object[]
}

const pull = [
  'ecr:GetAuthorizationToken',
  'ecr:BatchGetImage',
  'ecr:GetDownloadUrlForLayer',
  'ecr:BatchImportUpstreamImage',
]

const read = [
  'ecr:GetAuthorizationToken',
  'ecr:BatchCheckLayerAvailability',
  'ecr:GetDownloadUrlForLayer',
  'ecr:GetRepositoryPolicy',
  'ecr:DescribeRepositories',
  'ecr:ListImages',
  'ecr:DescribeImages',
  'ecr:BatchGetImage',
  'ecr:GetLifecyclePolicy',
  'ecr:GetLifecyclePolicyPreview',
  'ecr:ListTagsForResource',
  'ecr:DescribeImageScanFindings',
]

const push = ['ecr:InitiateLayerUpload', 'ecr:UploadLayerPart', 'ecr:CompleteLayerUpload', 'ecr:PutImage']

const allow = (actions: readonly string[] | string, more: object = {}) => ({
  Effect: 'Allow',
  Action: actions,
  Resource: '*',
  ...more,
})

const serviceRole = '/aws-service-role/'

const given: Readonly<Record<string, Given>> = {
  AdministratorAccess: {
    description: 'Provides full access to AWS services and resources.',
    created: '2015-02-06',
    version: 1,
    statements: [allow('*')],
  },
  AmazonEC2ContainerRegistryFullAccess: {
    description: 'Provides administrative access to Amazon ECR resources',
    created: '2015-12-21',
    version: 3,
    statements: [
      allow(['ecr:*', 'cloudtrail:LookupEvents']),
      allow(['iam:CreateServiceLinkedRole'], {
        Condition: { StringEquals: { 'iam:AWSServiceName': ['replication.ecr.amazonaws.com'] } },
      }),
    ],
  },
  AmazonEC2ContainerRegistryPowerUser: {
    description:
      'Provides full access to Amazon EC2 Container Registry repositories, but does not allow repository deletion or policy changes.',
    created: '2015-12-21',
    version: 3,
    statements: [allow([...read, ...push])],
  },
  AmazonEC2ContainerRegistryPullOnly: {
    description: 'Provides access to pull images from Amazon EC2 Container Registry repositories.',
    created: '2024-10-08',
    version: 1,
    statements: [allow(pull)],
  },
  AmazonEC2ContainerRegistryReadOnly: {
    description: 'Provides read-only access to Amazon EC2 Container Registry repositories.',
    created: '2015-12-21',
    version: 3,
    statements: [allow(read)],
  },
  AWSECRPullThroughCache_ServiceRolePolicy: {
    path: serviceRole,
    description: 'Allows Amazon ECR to import images from upstream registries into a private registry',
    created: '2021-11-26',
    version: 4,
    statements: [
      allow(
        [
          'ecr:GetAuthorizationToken',
          'ecr:BatchCheckLayerAvailability',
          'ecr:InitiateLayerUpload',
          'ecr:UploadLayerPart',
          'ecr:CompleteLayerUpload',
          'ecr:PutImage',
          'ecr:BatchGetImage',
          'ecr:BatchImportUpstreamImage',
          'ecr:GetDownloadUrlForLayer',
          'ecr:GetImageCopyStatus',
        ],
        { Sid: 'ECR' },
      ),
      allow(['secretsmanager:GetSecretValue'], {
        Sid: 'SecretsManager',
        Resource: 'arn:aws:secretsmanager:*:*:secret:ecr-pullthroughcache/*',
        // The variable is the policy language's.
        // biome-ignore lint/suspicious/noTemplateCurlyInString: see above
        Condition: { StringEquals: { 'aws:ResourceAccount': '${aws:PrincipalAccount}' } },
      }),
    ],
  },
  ECRReplicationServiceRolePolicy: {
    path: serviceRole,
    description: 'Enables access to AWS Services and Resources used or managed by ECR Replication',
    created: '2020-12-04',
    version: 1,
    statements: [allow(['ecr:CreateRepository', 'ecr:ReplicateImage'])],
  },
  ECRTemplateServiceRolePolicy: {
    path: serviceRole,
    description: 'Allows Amazon ECR to create repositories from the templates of a registry',
    created: '2024-06-20',
    version: 1,
    statements: [allow(['ecr:CreateRepository'])],
  },
  IAMFullAccess: {
    description: 'Provides full access to IAM.',
    created: '2015-02-06',
    version: 2,
    statements: [
      allow([
        'iam:*',
        'organizations:DescribeAccount',
        'organizations:DescribeOrganization',
        'organizations:DescribeOrganizationalUnit',
        'organizations:DescribePolicy',
        'organizations:ListChildren',
        'organizations:ListParents',
        'organizations:ListPoliciesForTarget',
        'organizations:ListRoots',
        'organizations:ListPolicies',
        'organizations:ListTargetsForPolicy',
      ]),
    ],
  },
  IAMReadOnlyAccess: {
    description: 'Provides read only access to IAM.',
    created: '2015-02-06',
    version: 4,
    statements: [
      allow([
        'iam:GenerateCredentialReport',
        'iam:GenerateServiceLastAccessedDetails',
        'iam:Get*',
        'iam:List*',
        'iam:SimulateCustomPolicy',
        'iam:SimulatePrincipalPolicy',
      ]),
    ],
  },
  PowerUserAccess: {
    description:
      'Provides full access to AWS services and resources, but does not allow management of Users and groups.',
    created: '2015-02-06',
    version: 6,
    statements: [
      { Effect: 'Allow', NotAction: ['iam:*', 'organizations:*', 'account:*'], Resource: '*' },
      allow([
        'account:GetAccountInformation',
        'account:GetGovCloudAccountInformation',
        'account:GetPrimaryEmail',
        'account:ListRegions',
        'iam:CreateServiceLinkedRole',
        'iam:DeleteServiceLinkedRole',
        'iam:ListRoles',
        'organizations:DescribeEffectivePolicy',
        'organizations:DescribeOrganization',
      ]),
    ],
  },
  SecretsManagerReadWrite: {
    description:
      'Provides read/write access to AWS Secrets Manager via the AWS Management Console. Note: this excludes IAM actions, so combine with IAMFullAccess if rotation configuration is required.',
    created: '2018-04-04',
    version: 5,
    // What it grants of other services means nothing here.
    statements: [allow(['secretsmanager:*'], { Sid: 'BasePermissions' })],
  },
}

/** By ARN, in the order of the ARNs. */
export const awsManagedPolicies: ReadonlyMap<string, AwsManagedPolicy> = new Map(
  Object.entries(given)
    .map(([name, policy]) => awsManagedPolicy(name, policy))
    .sort((a, b) => (a.arn < b.arn ? -1 : 1))
    .map((policy) => [policy.arn, policy]),
)

function awsManagedPolicy(
  name: string,
  { path = '/', description, created, version, statements }: Given,
): AwsManagedPolicy {
  const arn = `arn:aws:iam::aws:policy${path}${name}`
  return {
    arn,
    id: `ANPA${createHash('sha256').update(arn).digest('hex').slice(0, 17).toUpperCase()}`,
    name,
    path,
    description,
    createdAt: Date.parse(created),
    version,
    document: JSON.stringify({ Version: '2012-10-17', Statement: statements }, null, 4),
  }
}
