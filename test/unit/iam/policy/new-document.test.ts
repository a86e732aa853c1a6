/** What IAM refuses of policies when they are stored, in which words, and that the same documents are still read where stored. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a policy writes its variables so
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { awsManagedPolicies } from '#iam/policies/aws-managed.ts'
import { compilePolicy } from '#iam/policy/compile.ts'
import { parsePolicy } from '#iam/policy/document.ts'
import { type NewPolicyKind, parseNewPolicy } from '#iam/policy/new-document.ts'
import type { PolicyRefusals } from '#iam/policy/refusals.ts'
import { policyText } from '#iamapi/policy-texts.ts'
import type { Refusal } from '#lib/refusal.ts'

function documentOf(statement: object, version: string | undefined = '2012-10-17'): string {
  return JSON.stringify({ Version: version, Statement: { Effect: 'Allow', ...statement } })
}

const about = (Resource: string | string[]) => documentOf({ Action: 'ecr:*', Resource })
const trusting = (Action: string | string[]) => documentOf({ Principal: { AWS: '111111111111' }, Action })

/** IAM's sentence. */
function refusalOf(text: string, kind: NewPolicyKind): string {
  try {
    parseNewPolicy(text, kind)
  } catch (error) {
    const { code, facts } = error as Refusal
    assert.equal(code, 'PolicyMalformed')
    return policyText(facts as PolicyRefusals['PolicyMalformed'])
  }
  return 'taken'
}

const partition = (name: string, arn: string) => `Partition "${name}" is not valid for resource "${arn}".`
const noService = 'Resource vendor must be fully qualified and cannot contain regexes.'
const field = 'The policy failed legacy parsing. See Statement[0].Resource.'
const path =
  'IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.'

describe('resources of new policies', () => {
  const refused: Record<string, string> = {
    'repository/app': 'Resource repository/app must be in ARN format or "*".',
    // The partition comes first, as in recordings of IAM.
    'x:y': partition('y', 'arn:y:*:*:*:*'),
    'x:y:z': partition('y', 'arn:y:z:*:*:*'),
    'x:y:1:2:3:4:5:6': partition('y', 'arn:y:1:2:3:4:5:6'),
    'aws:ecr:us-east-1:111111111111:repository/x': partition('ecr', 'arn:ecr:us-east-1:111111111111:repository/x:*'),
    'aws:s3:::bucket': partition('s3', 'arn:s3:::bucket:*'),
    'arn:awz:ecr:*:*:repository/x': partition('awz', 'arn:awz:ecr:*:*:repository/x'),
    'arn:aws-cn:ecr:*:*:repository/x': partition('aws-cn', 'arn:aws-cn:ecr:*:*:repository/x'),
    'arn::ecr:*:*:repository/x': partition('', 'arn::ecr:*:*:repository/x'),
    'arn:aws': noService,
    'arn:*': noService,
    'arn:aws:*:*:*:*': noService,
    'arn:aws:e?r:*:*:*': noService,
    'arn:aws::us-east-1:111111111111:x': field,
    'arn:aws::x': field,
    'arn:aws:s3::bucket': field,
    'arn:aws:ecr::repository/x': field,
    'arn:aws:ecr:us-east-1:111111111111repository/x': field,
    'arn:aws:ecr:us-east-1:xxxx:repository/x': field,
    'arn:aws:ecr:us-east-1:11111111111:repository/x': field,
    'arn:aws:ecr:us-east-1:1111111111111:repository/x': field,
    'arn:aws:ecr:us-east-1:1111-1111-1111:repository/x': field,
    'arn:aws:ecr:us-east-1::repository/x': field,
    'arn:aws:ecr::111111111111:repository/x': field,
    'arn:aws:ecr:us-east-1:repository/x': field,
    'arn:aws:iam::account:user/x': field,
    'arn:aws:iam:us-east-1:111111111111:role/x':
      'IAM resource arn:aws:iam:us-east-1:111111111111:role/x cannot contain region information.',
    'arn:aws:s3:us-east-1::bucket': 'Resource arn:aws:s3:us-east-1::bucket can not contain region information.',
    'arn:aws:iam::111111111111:x': path,
    'arn:aws:iam::111111111111:root/x': path,
    'arn:aws:iam::111111111111:*/*': path,
    'arn:aws:iam::111111111111:': path,
  }
  for (const [resource, text] of Object.entries(refused)) {
    test(`${resource} is refused, and read where it was stored`, () => {
      for (const kind of ['managed', 'inline'] as const) assert.equal(refusalOf(about(resource), kind), text)
      assert.equal(refusalOf(about(['*', resource]), 'inline'), text)
      const excepting = documentOf({ Action: 'ecr:*', NotResource: resource })
      assert.equal(refusalOf(excepting, 'inline'), text.replace(/Resource\.$/, 'NotResource.'))
      if (resource.startsWith('arn:')) compilePolicy('stored', parsePolicy(about(resource), 'identity'))
    })
  }

  const taken = [
    ...['*', 'arn:aws:ecr:*:*:repository/x', 'arn:aws:ecr:us-east-1:111111111111:repository/${aws:username}/*'],
    ...['arn:*:ecr:*:*:*', 'arn:aw?:ecr:*:*:*', 'arn:aws:ecr:us-*:1*1:*', 'arn:aws:ecr:*:????????????:*'],
    // IAM takes fields that are left out at the end.
    ...['arn:aws:ecr', 'arn:aws:ecr:us-east-1', 'arn:aws:ecr:us-east-1:111111111111', 'arn:aws:x', 'arn:aws:s3'],
    ...['arn:aws:iam::111111111111:user/x', 'arn:aws:iam:::user/x', 'arn:aws:iam::aws:policy/x', 'arn:aws:iam::*:*'],
    ...['arn:aws:iam:*:*:role/x', 'arn:aws:s3:::bucket', 'arn:aws:s3:us-west-2:111111111111:accesspoint/a/object/*'],
    // Buckets are in no region, what accounts have in S3 is in one.
    ...['arn:aws:s3:us-east-1:111111111111:storage-lens/*', 'arn:aws:s3:us-east-1:111111111111:access-grants/default'],
    ...['arn:aws:s3:us-east-1:111111111111:job/x', 'arn:aws:s3:us-east-1:111111111111:storage-lens-group/x'],
    'arn:aws:s3:us-west-2:111111111111:async-request/mrap/x',
    // Stands in `IAMCreateRootUserPassword` and two more policies of AWS.
    'arn:aws:iam::*:root',
    // Of services that are not served here IAM takes any.
    ...['arn:aws:ec2:region:account-id:instance/*', 'arn:aws:none:::x', 'arn:aws:none:us-east-1::x'],
    'arn:aws:lading:*:*:in-use-report/*',
  ]
  for (const resource of taken) {
    test(`${resource} is taken`, () => {
      for (const kind of ['managed', 'inline'] as const) assert.equal(refusalOf(about(resource), kind), 'taken')
    })
  }
})

describe('versions of new policies', () => {
  const old = [
    documentOf({ Action: '*', Resource: '*' }, '2008-10-17'),
    '{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}',
  ]
  for (const text of old) {
    test(`${text} is refused as a managed policy alone`, () => {
      assert.equal(refusalOf(text, 'managed'), 'Policy document must be version 2012-10-17 or greater.')
      assert.equal(refusalOf(text, 'inline'), 'taken')
      parsePolicy(text, 'identity')
    })
  }

  test('each policy of AWS could be stored as a managed one', () => {
    assert.ok(awsManagedPolicies.size > 5)
    for (const [arn, { document }] of awsManagedPolicies) assert.equal(refusalOf(document, 'managed'), 'taken', arn)
  })
})

describe('actions of new policies', () => {
  const refused: Record<string, string> = {
    PutImage: 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.',
    '': 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.',
    ':PutImage': 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.',
    'a b:PutImage': 'Vendor a b is not valid',
    'e*:PutImage': 'Vendor e* is not valid',
    'ecr:Put:Image': 'Actions/Condition can contain only one colon.',
    'ecr:Put/Image': 'Action ecr:Put/Image is not valid',
    'ecr:': 'Action ecr: is not valid',
  }
  for (const [action, text] of Object.entries(refused)) {
    test(`${JSON.stringify(action)}: ${text}`, () => {
      assert.equal(refusalOf(documentOf({ Action: action, Resource: '*' }), 'inline'), text)
    })
  }

  test('the vendor may be a wildcard alone', () => {
    for (const action of ['*:*', '*:PutImage']) {
      assert.equal(refusalOf(documentOf({ Action: action, Resource: '*' }), 'managed'), 'taken')
      const trust = JSON.stringify({ Statement: { Effect: 'Allow', Principal: '*', Action: action } })
      assert.notEqual(refusalOf(trust, 'trust'), 'taken')
    }
  })
})

describe('actions of trust policies', () => {
  const refusal = 'AssumeRole policy may only specify STS AssumeRole actions.'
  const refused = ['sts:BadAssumeRole', 'sts:GetCallerIdentity', 'sts:AssumeRoles', 'sts:Get*', 'sts:Tag', 'ecr:*', '*']
  for (const action of refused) {
    test(`${action} is refused`, () => {
      assert.equal(refusalOf(trusting(action), 'trust'), refusal)
      assert.equal(refusalOf(trusting(['sts:AssumeRole', action]), 'trust'), refusal)
      if (action.startsWith('sts:')) parsePolicy(trusting(action), 'trust')
    })
  }

  const taken = [
    ...['sts:AssumeRole', 'STS:assumeroleWithSAML', 'sts:AssumeRoleWithWebIdentity', 'sts:TagSession'],
    ...['sts:SetSourceIdentity', 'sts:SetContext', 'sts:*', 'sts:AssumeRole*', 'sts:???Session'],
  ]
  for (const action of taken) {
    test(`${action} is taken`, () => {
      assert.equal(refusalOf(trusting(action), 'trust'), 'taken')
    })
  }
})
