import { matchesGlob } from '#lib/glob.ts'
import { parsePattern } from './match.ts'
import type { PolicyProblem } from './refusals.ts'

/**
 * What IAM asks of the ARNs in `Resource` and `NotResource` when a policy is stored, so that a mistyped one does not go unnoticed.
 * The rules are those that recordings of IAM's refusals show. Beyond them, an ARN of a service that Lading serves needs an account
 * and a region that such an ARN can have.
 */

/** All ARNs of this program are of AWS's first partition. */
const partition = 'aws'

/** Whether the second field is a partition, or a pattern of one. The first may be anything: IAM blames the second before it. */
export function isOfPartition(text: string): boolean {
  const [, second] = text.split(':', 2)
  return second === undefined || matchesGlob(parsePattern(second), partition)
}

/** What is wrong with a resource other than `*`, if anything. Fields that are left out at the end stand for any. */
export function resourceProblem(text: string): PolicyProblem | undefined {
  const [, , service, region, account] = text.split(':', 5)
  if (!isOfPartition(text)) return 'resource partition'
  if (service === undefined || /[*?]/.test(service)) return 'resource service'
  if (service === '' || isShortOfColons(text)) return 'resource field'
  const [, path] = /^(?:[^:]*:){5}(.*)$/s.exec(text) ?? []
  if (!mayHaveRegion(service, region, path)) return 'resource region'
  if (service === 'iam' && path !== undefined && !isIamPath(path)) return 'resource path'
  return hasPossibleFields(service, region, account) ? undefined : 'resource field'
}

/** An empty field among fewer than six: one was forgotten, as in `arn:aws:s3::bucket`. */
function isShortOfColons(text: string): boolean {
  return text.includes('::') && text.split(':', 6).length < 6
}

/** What S3 has in a region (Service Authorization Reference, Amazon S3, "Resource types"). */
const regionalS3Paths = [
  ...['access-grants/', 'accesspoint/', 'async-request/', 'job/', 'storage-lens/', 'storage-lens-group/'],
]

/** IAM and buckets of S3 are in no region. */
function mayHaveRegion(service: string, region = '', path = ''): boolean {
  if (region === '' || region === '*') return true
  return service !== 'iam' && (service !== 's3' || regionalS3Paths.some((start) => path.startsWith(start)))
}

/** In the order of IAM's own sentence. */
export const iamPaths = [
  ...['user/', 'federated-user/', 'role/', 'group/', 'instance-profile/', 'mfa/', 'server-certificate/', 'policy/'],
  ...['sms-mfa/', 'saml-provider/', 'oidc-provider/', 'report/', 'access-report/'],
] as const

/** IAM's sentence leaves `root` out, yet IAM takes it. */
function isIamPath(path: string): boolean {
  return path === '*' || path === 'root' || iamPaths.some((start) => path.startsWith(start))
}

/** Of services that Lading does not serve IAM takes any: `arn:aws:ec2:region:account-id:instance/*`. */
function hasPossibleFields(service: string, region: string | undefined, account: string | undefined): boolean {
  switch (service) {
    case 'ecr':
    case 'lading':
      return region !== '' && (account === undefined || mayBeAccount(account))
    case 'iam':
      // Without an account IAM takes it; `aws` is the account of AWS's own policies.
      return account === undefined || account === '' || account === 'aws' || mayBeAccount(account)
    default:
      return true
  }
}

const accountLength = 12

/** Whether twelve digits may match. */
function mayBeAccount(pattern: string): boolean {
  if (!/^[\d*?]+$/.test(pattern)) return false
  const fixed = pattern.replaceAll('*', '').length
  return pattern.includes('*') ? fixed <= accountLength : fixed === accountLength
}
