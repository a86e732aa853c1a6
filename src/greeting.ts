import type { Settings } from '#config/settings.ts'

/** What the first start prints, the only time that the root key is shown: lines to paste, up to a first push. */
export function greeting({
  account,
  region,
  rootKey,
  url,
}: Pick<Settings, 'account' | 'region'> & {
  readonly rootKey: { readonly accessKeyId: string; readonly secretAccessKey: string }
  readonly url: string
}): string {
  const { host } = new URL(url)
  return `
First start. This is the root key of account ${account}; it is not shown again. To push a first image, paste:

  export AWS_ENDPOINT_URL=${url}
  export AWS_ACCESS_KEY_ID=${rootKey.accessKeyId}
  export AWS_SECRET_ACCESS_KEY=${rootKey.secretAccessKey}
  export AWS_DEFAULT_REGION=${region}
  aws ecr create-repository --repository-name hello
  aws ecr get-login-password | docker login --username AWS --password-stdin ${host}
  docker pull hello-world
  docker tag hello-world ${host}/hello
  docker push ${host}/hello

`
}
