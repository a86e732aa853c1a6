/** Processes that start at once over an empty database agree on the keys, and one of them shows the secret. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import type { RootKey } from '#iam/access-keys.ts'
import { BasicCredentials } from '#iam/basic.ts'
import { Credentials } from '#iam/credentials.ts'
import { createSecretBox } from '#iam/secret-box.ts'
import { TokenKeys } from '#iam/token-keys.ts'
import { Tokens } from '#iam/tokens.ts'
import { systemClock as clock } from '#lib/clock.ts'
import { eachDatabase } from '#test/support/databases.ts'

const sender = { ip: '127.0.0.1' }

const run = promisify(execFile)
const child = new URL('./first-start-child.ts', import.meta.url).pathname

eachDatabase((databases) =>
  describe(`first start on ${databases.dialect}`, () => {
    test('racing processes end with one root key, generated once, and take one another’s tokens', async (t) => {
      const url = await databases.url()
      const outputs = await Promise.all([1, 2, 3].map(() => run(process.execPath, [child, url])))
      const starts = outputs.map(({ stdout }) => JSON.parse(stdout))

      assert.equal(starts.filter(({ generated }) => generated).length, 1)
      const distinct = new Set(starts.map((start: RootKey) => `${start.accessKeyId} ${start.secretAccessKey}`))
      assert.equal(distinct.size, 1)

      const metadata = await databases.open(t, url)
      const box = createSecretBox(Buffer.alloc(32, 1))
      const keys = new TokenKeys({ metadata, clock, box })
      const credentials = new Credentials({ metadata, box })
      const basic = new BasicCredentials({ tokens: new Tokens({ keys, clock }), keys, credentials, clock })
      for (const { authorizationToken, accessKeyId } of starts) {
        const { principal } = await basic.authenticate(`Basic ${authorizationToken}`, sender)
        assert.equal(principal.accessKeyId, accessKeyId)
      }
      assert.equal((await keys.current()).size, 1)
    })
  }),
)
