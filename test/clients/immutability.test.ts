/** A pipeline with a real client: a broken image does not take the place of what is deployed under an immutable tag. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ECR } from '@aws-sdk/client-ecr'
import { image } from '#test/support/images/build.ts'
import { writeLayout } from '#test/support/images/layout.ts'
import { needs } from '#test/support/run.ts'
import { startSession } from '#test/support/session.ts'

const session = await startSession()
after(() => session[Symbol.asyncDispose]())

test(
  'a broken image is refused under the tag that is deployed, and what is deployed still pulls',
  needs('skopeo'),
  async () => {
    const {
      AWS_ACCESS_KEY_ID: accessKeyId = '',
      AWS_SECRET_ACCESS_KEY: secretAccessKey = '',
      AWS_DEFAULT_REGION: region = '',
    } = session.env
    const credentials = { accessKeyId, secretAccessKey }
    const ecr = new ECR({ endpoint: session.url, region, credentials })
    await ecr.createRepository({ repositoryName: 'my-app', imageTagMutability: 'IMMUTABLE' })
    ecr.destroy()
    const login = ['login', '--tls-verify=false', '-u', 'AWS', '--password-stdin', session.host]
    await session.run('skopeo', login, { input: await session.password() })
    const deployed = image({ seed: 'deployed' })
    const broken = image({ seed: 'broken' })
    const target = `docker://${session.host}/my-app:production`
    const push = async (name: string) => {
      const copy = [
        'copy',
        '--preserve-digests',
        '--dest-tls-verify=false',
        `oci:${join(session.folder, name)}:v1`,
        target,
      ]
      await session.run('skopeo', copy)
    }
    await writeLayout(join(session.folder, 'deployed'), deployed, 'v1')
    await writeLayout(join(session.folder, 'broken'), broken, 'v1')

    await push('deployed')
    await assert.rejects(
      push('broken'),
      /The image tag 'production' already exists in the 'my-app' repository and cannot be overwritten because the tag is immutable\./,
    )
    await push('deployed')

    const pulled = join(session.folder, 'pulled')
    await session.run('skopeo', ['copy', '--preserve-digests', '--src-tls-verify=false', target, `oci:${pulled}:v1`])
    for (const { digest, bytes } of [deployed, ...deployed.blobs]) {
      const content = await readFile(join(pulled, 'blobs', ...digest.split(':')))
      assert.ok(content.equals(Buffer.from(bytes)), digest)
    }
  },
)
