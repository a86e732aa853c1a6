/** One of several processes that start at once: prints its root key and a token, and whether it generated the key. */
import { ensureRoot } from '#iam/access-keys.ts'
import { Credentials } from '#iam/credentials.ts'
import { createSecretBox } from '#iam/secret-box.ts'
import { TokenKeys } from '#iam/token-keys.ts'
import { Tokens } from '#iam/tokens.ts'
import { systemClock as clock } from '#lib/clock.ts'
import { openMetadata } from '#metadata/open.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'

const [url = ''] = process.argv.slice(2)
const metadata = await openMetadata(url, (error) => console.error(error))
const box = createSecretBox(Buffer.alloc(32, 1))
const root = await ensureRoot({ metadata, clock, box }, parseAccountId('000000000000'))
const found = await new Credentials({ metadata, box }).find(root.accessKeyId)
if (found === undefined) throw new Error('The root key was not found')
const tokens = new Tokens({ keys: new TokenKeys({ metadata, clock, box }), clock })
const { authorizationToken } = await tokens.issue(found.principal, {
  account: found.principal.account,
  region: parseRegion('us-east-1'),
})
process.stdout.write(JSON.stringify({ ...root, authorizationToken }))
await metadata.close()
