import type { Operations } from '../../src/ecr/model.ts'

/** What a served operation does otherwise than ECR, as somebody who knows ECR would want to be told. */
export const departures: Readonly<Partial<Record<keyof Operations, string>>> = {
  BatchDeleteImage:
    'The call is one change, and its order does not matter: an index goes with the children that are listed. Images go to the recycle bin, for as long as the registry says; referrers follow their subject after an hour. Where images in use are kept, such an image fails with `ImageReferencedByManifestList`, and the reason says who runs it. A digest together with a tag deletes that tag alone, and the image with its last tag; the digest without a tag deletes all of them.',
  BatchGetImage: 'Converts between Docker schema 2 and OCI, not to schema 1.',
  CompleteLayerUpload: 'Lost parts, after a power loss, are an `InvalidLayerException` that says where to go on.',
  CreatePullThroughCacheRule:
    'The role is not looked up before the first pull, and must be of the account. A `credentialArn` is kept for upstreams that need none, too. Hosts that the operator lists, and other registries of the deployment by its domain, [may be upstreams too](pull-through.md#upstreams): without `upstreamRegistry` where ECR has no name for them, and without credentials.',
  CreateRepository:
    'Encryption and scanning settings are kept and shown; no key is used, and nothing is scanned. A KMS key is not looked up. KMS without a key shows the ARN of a key that does not exist, always the same one in a registry.',
  CreateRepositoryCreationTemplate:
    'A registry has at most 100 templates; the quota of ECR is not known. Neither the role nor the KMS key is looked up, and the role must be of the account. For a policy or tags the author needs `ecr:SetRepositoryPolicy`, `ecr:PutLifecyclePolicy` or `ecr:TagResource` on every repository below the prefix: a Deny on one of them refuses the template. So does a missing right to what a template above it gives: the new template takes its place.',
  DeleteRepository:
    'One that holds images goes to the recycle bin, for as long as the registry says. One that holds an image which is kept in use is not deleted, with `force` neither: it is a `RepositoryNotEmptyException`.',
  DescribeImageReplicationStatus:
    'An image that a [back-fill](replication.md#existing-images) copied has a status, too.',
  DescribeImageScanFindings: 'No image has been scanned: one that exists has no scan.',
  DescribeImageSigningStatus:
    'Nothing is signed: for an image that signing rules match, each signing profile is `FAILED`, and `failureReason` says so. Images pushed before a rule match it too.',
  DescribeImages:
    'No image is scanned, so that the fields for that show nothing. Archived images are left out unless `imageStatus` asks for them or `imageIds` names them. A page ends early before it has more than 10,000 tags.',
  DescribeRepositories: 'A `repositoryUri` has the host of this server, unless `LADING_DOMAIN` is set.',
  DeleteRepositoryCreationTemplate:
    'Needs the rights to the policies and tags that the template has, as creating it did, and to those of the template above it, which takes its place.',
  DescribeRepositoryCreationTemplates: 'Prefixes without a template are left out.',
  GetAuthorizationToken: 'The `proxyEndpoint` is this server, unless `LADING_DOMAIN` is set.',
  GetDownloadUrlForLayer: 'The URL is one of this server, good for an hour.',
  GetLifecyclePolicyPreview:
    'A preview is good for a day. An index comes before the images that it refers to, and all of them in one run. What refers to an image as its subject is under no rule, and is listed with its subject. Images asked for that there are not are left out. Images that are kept in use are left out.',
  InitiateLayerUpload:
    'An upload ends after a day without a request, and the size of a layer is not limited. Creates the repository by a template, as a push by docker does; in a registry that has no room for it, it is not found.',
  ListImages: 'Archived images are left out unless `imageStatus` asks for them.',
  PutAccountSetting: '`BASIC_SCAN_TYPE_VERSION` is kept and shown; there is no scanner that it could choose.',
  PutImage:
    'Creates the repository by a template, as a push by docker does. Starts no scan and no signing. The [limits of a manifest](data-plane.md#manifests) apply. A manifest that is present is an `ImageAlreadyExistsException` unless it gets a further tag, also where the request has no tag.',
  PutImageScanningConfiguration: 'The setting is kept and shown; nothing is scanned.',
  PutLifecyclePolicy:
    'It is applied a minute after it was put, and once a day; what it expires goes to the recycle bin. A name that is given twice in one object is refused.',
  PutRegistryPolicy:
    'The text of a refusal goes on after that of ECR, with the place in the document and what is wrong there.',
  PutRegistryScanningConfiguration: 'The configuration is kept and shown; nothing is scanned.',
  PutReplicationConfiguration:
    'Any region that has the form of a name is one. A destination may be [elsewhere](replication.md#to-another-lading).',
  PutSigningConfiguration: 'The rules are kept and shown; nothing is signed. A signing profile is not looked up.',
  SetRepositoryPolicy:
    'The text of a refusal goes on after that of ECR, with the place in the document and what is wrong there.',
  StartImageScan: 'There is no scanner: an image that exists is refused as an `UnsupportedImageTypeException`.',
  StartLifecyclePolicyPreview:
    'A preview fails where the server ends before it is complete, or is busy with others for five minutes.',
  UpdateRepositoryCreationTemplate:
    'To empty a policy or tags needs the right to set them. Another `appliedFor` needs the rights to all that the template has.',
  UpdatePullThroughCacheRule: 'The role is not looked up before the next pull.',
  UploadLayerPart: 'A part may have 20 MiB, as the API model says, where the quota of ECR is 10 MiB.',
  ValidatePullThroughCacheRule: 'Any upstream is connected to, and asked for a login where the rule has credentials.',
  UpdateImageStorageClass:
    'An archived image takes as much room as before. A restore is answered with `ACTIVATING` as by ECR, and is over then. Whatever makes an index active restores what it refers to. By their digests the data plane goes on serving the layers of archived images. An image that is kept in use is not archived.',
}
