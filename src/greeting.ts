import type { Settings } from '#config/settings.ts'
import type { EnsuredRoot } from '#iam/access-keys.ts'

/**
 * What the first start prints: lines to paste, up to a first push, which need nothing from elsewhere. They hold the secret
 * only if it was generated, for then nobody else can tell it and no other start will.
 */
export function greeting({
  account,
  region,
  root,
  url,
}: Pick<Settings, 'account' | 'region'> & { readonly root: EnsuredRoot; readonly url: string }): string {
  const { host } = new URL(url)
  const introduction = root.generated
    ? `This is the root key of account ${account}; it is not shown again. To push a first image, paste:`
    : `Account ${account} has the root key that you gave. To push a first image, paste with its secret:`
  return `
First start. ${introduction}

  export AWS_ENDPOINT_URL=${url}
  export AWS_ENDPOINT_URL_STS=${url}
  export AWS_ACCESS_KEY_ID=${root.accessKeyId}
  export AWS_SECRET_ACCESS_KEY=${root.generated ? root.secretAccessKey : "'…'"}
  export AWS_DEFAULT_REGION=${region}
  aws ecr create-repository --repository-name hello
  aws ecr get-login-password | docker login --username AWS --password-stdin ${host}
  tar --create --files-from /dev/null | docker import - ${host}/hello
  docker push ${host}/hello

`
}
