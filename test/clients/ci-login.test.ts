/** What docs/ci-login.md says, line by line: a job logs in with the token of its platform, and with nothing else. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startOidcIssuer } from '#test/support/oidc-issuer.ts'
import { findProgram, needs } from '#test/support/run.ts'
import { startSession } from '#test/support/session.ts'

const page = new URL('../../docs/ci-login.md', import.meta.url)

test('docs/ci-login.md works when followed to the letter', needs('aws', 'skopeo'), async (t) => {
  if (!knowsEndpointVariable()) {
    t.skip('this aws does not know AWS_ENDPOINT_URL')
    return
  }
  await using issuer = await startOidcIssuer()
  await using session = await startSession()
  const provider = issuer.url.replace('https://', '')
  const text = (await readFile(page, 'utf8'))
    .replaceAll('token.actions.githubusercontent.com', provider)
    .replaceAll('127.0.0.1:5100', session.host)
  const blocks = [...text.matchAll(/```sh\n(.*?)```/gs)].map(([, block = '']) => block)
  const job = blocks.pop() ?? ''
  const shell = (script: string) =>
    session.run('bash', ['-euo', 'pipefail', '-c', `cd "$HOME"\nexport AWS_PAGER=\n${script}`])

  await shell(blocks.join('\n'))
  const withoutKeys = `unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY\n${job}`
  const token = (sub: string) => issuer.token({ sub, aud: 'lading' })
  await writeFile(join(session.folder, 'token.jwt'), await token('repo:example/app:ref:refs/heads/main'))
  const output = await shell(withoutKeys)
  assert.match(output, /arn:aws:sts::000000000000:assumed-role\/ci\/build-42/)
  assert.match(output, /Login Succeeded/)

  await writeFile(join(session.folder, 'token.jwt'), await token('repo:example/other:ref:refs/heads/main'))
  // aws remembers the credentials of a session by its name.
  await assert.rejects(shell(withoutKeys.replace('build-42', 'build-43')), /AccessDenied/)
})

function knowsEndpointVariable(): boolean {
  const aws = findProgram('aws')
  const version = aws === undefined ? '' : execFileSync(aws, ['--version'], { encoding: 'utf8' })
  const [, major = 0, minor = 0] = (/aws-cli\/(\d+)\.(\d+)/.exec(version) ?? []).map(Number)
  return major > 2 || (major === 2 ? minor >= 13 : minor >= 29)
}
