/** Pulls by the names that an upstream has: with its host as containerd's `?ns=`, and at the hosts of `LADING_MIRRORS`. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import {
  CreatePullThroughCacheRuleCommand,
  DescribeImagesCommand,
  GetDownloadUrlForLayerCommand,
  SetRepositoryPolicyCommand,
} from '@aws-sdk/client-ecr'
import { IAM } from '@aws-sdk/client-iam'
import { openAuditReader } from '#test/support/audit.ts'
import { image } from '#test/support/images/build.ts'
import { logLines } from '#test/support/log-lines.ts'
import { type Answer, openOciClient } from '#test/support/oci-client.ts'
import { pushImage, pushManifest } from '#test/support/push.ts'
import { startServer } from '#test/support/server.ts'
import { eachServerInCi, expect } from './world.ts'

const hub = 'hub.registry.example:5100'
const quay = 'quay.registry.example:5100'
const empty = 'empty.registry.example'
const mirrors = {
  hub: '000000000000/us-east-1/docker-hub',
  quay: '000000000000/us-east-1/quay',
  empty: '000000000000/us-east-1/nothing',
  all: '000000000000/us-east-1/ROOT',
  elsewhere: '000000000000/eu-west-1/quay',
}
const environment = {
  LADING_DOMAIN: 'registry.example',
  LADING_MIRRORS: Object.entries(mirrors)
    .map(([label, cache]) => `${label}=${cache}`)
    .join(),
}

eachServerInCi(
  'mirrors',
  (world) => {
    const app = image({ seed: 'mirrored', layers: [1_000] })
    const signature = image({ seed: 'signature', subject: app })
    const [layer] = app.blobs
    assert.ok(layer !== undefined)
    const at = (host: string | undefined, method: string, path: string, headers = {}) =>
      world.call(method, path, { headers: { host, ...headers } })
    const digestOf = (answer: Answer) => answer.headers['docker-content-digest']

    async function push(name: string, pushed = app): Promise<void> {
      await world.client.createRepository(name)
      await pushImage(world.client.registry, name, pushed, 'v1')
    }

    before(async () => {
      const rules = [
        { ecrRepositoryPrefix: 'quay', upstreamRegistryUrl: 'quay.io' },
        { ecrRepositoryPrefix: 'ours', upstreamRegistryUrl: 'quay.io', upstreamRepositoryPrefix: 'company' },
        { ecrRepositoryPrefix: 'k8s', upstreamRegistryUrl: 'registry.k8s.io' },
      ]
      for (const rule of rules) await world.client.ecr.send(new CreatePullThroughCacheRuleCommand(rule))
      await push('quay/prometheus/prometheus')
      await pushImage(world.client.registry, 'quay/prometheus/prometheus', signature)
      await push('docker-hub/library/alpine')
      await push('team/app')
    })

    test('a host named as ns selects the rule that caches it, for each kind of pull', async () => {
      const ns = '?ns=quay.io'
      const base = '/v2/prometheus/prometheus'
      for (const method of ['GET', 'HEAD']) {
        assert.equal(digestOf(expect(await world.call(method, `${base}/manifests/v1${ns}`), 200)), app.digest)
        assert.equal(
          digestOf(expect(await world.call(method, `${base}/manifests/${app.digest}${ns}`), 200)),
          app.digest,
        )
        assert.equal(
          digestOf(expect(await world.call(method, `${base}/blobs/${layer.digest}${ns}`), 200)),
          layer.digest,
        )
      }
      assert.deepEqual(expect(await world.call('GET', `${base}/tags/list${ns}`), 200).json(), {
        name: 'prometheus/prometheus',
        tags: ['v1'],
      })
      const { manifests } = expect(await world.call('GET', `${base}/referrers/${app.digest}${ns}`), 200).json<{
        manifests: { digest: string }[]
      }>()
      assert.deepEqual(
        manifests.map(({ digest }) => digest),
        [signature.digest],
      )
    })

    test('a path that has the prefix already is as it is, and a rule’s upstream prefix takes the place of its prefix', async () => {
      await push('ours/tool')
      for (const path of ['quay/prometheus/prometheus', 'company/tool', 'ours/tool']) {
        expect(await world.call('GET', `/v2/${path}/manifests/v1?ns=QUAY.io`), 200)
      }
    })

    test('without a rule for the host the path is the repository’s own name, and what is missing is said to be uncached', async () => {
      expect(await world.call('GET', '/v2/team/app/manifests/v1?ns=gcr.io'), 200)
      const missing = expect(
        await world.call('GET', '/v2/prometheus/prometheus/manifests/v1?ns=gcr.io'),
        404,
        'NAME_UNKNOWN',
      )
      assert.equal(
        missing.message,
        "No rule of the pull-through cache caches 'prometheus/prometheus' of 'gcr.io'. Create one: aws ecr create-pull-through-cache-rule",
      )
      const own = await world.call('GET', '/v2/prometheus/prometheus/manifests/v1?ns=registry.example')
      assert.match(
        expect(own, 404, 'NAME_UNKNOWN').message,
        /^The repository with name 'prometheus\/prometheus' does not exist/,
      )
    })

    test('links to further pages repeat the host and the name that the client has', async () => {
      await pushManifest(world.client.registry, 'quay/prometheus/prometheus', app, 'v2')
      const path = '/v2/prometheus/prometheus/tags/list?n=1'
      const first = expect(await world.call('GET', `${path}&ns=quay.io`), 200)
      assert.equal(first.headers.link, '</v2/prometheus/prometheus/tags/list?ns=quay.io&n=1&last=v1>; rel="next"')
      const next = /<(.*)>/.exec(String(first.headers.link))?.[1] ?? ''
      assert.deepEqual(expect(await world.call('GET', next), 200).json(), {
        name: 'prometheus/prometheus',
        tags: ['v2'],
      })
      assert.equal(
        expect(await at(quay, 'GET', path), 200).headers.link,
        '</v2/prometheus/prometheus/tags/list?n=1&last=v1>; rel="next"',
      )
    })

    test('a push that names a cached host is refused', async () => {
      for (const path of ['prometheus/prometheus/blobs/uploads/', 'prometheus/new/blobs/uploads/']) {
        const refused = expect(await world.call('POST', `/v2/${path}?ns=quay.io`), 405, 'UNSUPPORTED')
        assert.match(
          refused.message,
          /^A mirror only serves pulls\. Push to the repository itself, at http:\/\/000000000000\.dkr/,
        )
      }
      expect(await world.call('DELETE', '/v2/prometheus/prometheus/manifests/v1?ns=quay.io'), 405, 'UNSUPPORTED')
      expect(await world.call('POST', '/v2/team/app/blobs/uploads/?ns=gcr.io'), 202)
    })

    test('the host of a mirror serves what is below its prefix, by the upstream’s names', async () => {
      assert.deepEqual(expect(await at(hub, 'GET', '/v2/'), 200).json(), {})
      const base = '/v2/library/alpine'
      for (const host of [hub, 'HUB.registry.example', 'hub.registry.example.:443']) {
        assert.equal(digestOf(expect(await at(host, 'GET', `${base}/manifests/v1`), 200)), app.digest)
      }
      assert.equal(digestOf(expect(await at(hub, 'HEAD', `${base}/blobs/${layer.digest}`), 200)), layer.digest)
      const tags = { name: 'library/alpine', tags: ['v1'] }
      assert.deepEqual(expect(await at(hub, 'GET', `${base}/tags/list`), 200).json(), tags)
      expect(await at(hub, 'GET', `${base}/referrers/${app.digest}`), 200)
      expect(await at('all.registry.example', 'GET', '/v2/team/app/manifests/v1'), 200)
      const missing = expect(await at(empty, 'GET', `${base}/manifests/v1`), 404, 'NAME_UNKNOWN')
      assert.match(missing.message, /'nothing\/library\/alpine'/)
      expect(await at(empty, 'GET', `/v2/${'a'.repeat(250)}/manifests/v1`), 400, 'NAME_INVALID')
    })

    test('another label below the domain is no mirror', async () => {
      expect(await at('other.registry.example', 'GET', '/v2/team/app/manifests/v1'), 200)
      expect(await at('a.hub.registry.example', 'GET', '/v2/team/app/manifests/v1'), 200)
    })

    test('a mirror takes no pushes, and has no catalog', async () => {
      const path = '/v2/library/alpine'
      const calls = [
        ['POST', `${path}/blobs/uploads/`],
        ['PUT', `${path}/manifests/v2`],
        ['DELETE', `${path}/manifests/v1`],
        ['DELETE', `${path}/blobs/${layer.digest}`],
        ['GET', `${path}/blobs/uploads/0`],
      ] as const
      for (const [method, path] of calls) expect(await at(hub, method, path), 405, 'UNSUPPORTED')
      expect(await at(hub, 'GET', '/v2/_catalog'), 404, 'UNSUPPORTED')
    })

    test('a mirror does not serve one upstream in place of another that the client names', async () => {
      const path = '/v2/prometheus/prometheus/manifests/v1'
      for (const ns of ['quay.io', 'quay.registry.example:5100', 'registry.example']) {
        expect(await at(quay, 'GET', `${path}?ns=${ns}`), 200)
      }
      expect(await at(quay, 'GET', `${path}?ns=docker.io`), 404, 'NAME_UNKNOWN')
    })

    test('a mirror has a challenge of its own, and takes a token of its region alone', async () => {
      const answer = expect(await at(hub, 'GET', '/v2/', { authorization: undefined }), 401, 'UNAUTHORIZED')
      const challenge = 'Basic realm="http://hub.registry.example:5100/",service="ecr.amazonaws.com"'
      assert.equal(answer.headers['www-authenticate'], challenge)
      const refused = expect(await at('elsewhere.registry.example', 'GET', '/v2/'), 403, 'DENIED')
      assert.match(refused.message, /issued in region us-east-1 and is not valid in eu-west-1/)
    })

    test('a download link works at a mirror too, by the repository’s own name', async () => {
      const command = { repositoryName: 'docker-hub/library/alpine', layerDigest: layer.digest }
      const { downloadUrl = '' } = await world.client.ecr.send(new GetDownloadUrlForLayerCommand(command))
      const { pathname, search } = new URL(downloadUrl)
      expect(await at(hub, 'GET', pathname + search, { authorization: undefined }), 200)
    })

    test('permissions, the record of a pull and the audit trail are those of the repository that is meant', async () => {
      using iam = disposable(
        new IAM({ endpoint: world.server.url, region: 'us-east-1', credentials: world.server.credentials }),
      )
      await iam.createUser({ UserName: 'nodes' })
      const { AccessKey } = await iam.createAccessKey({ UserName: 'nodes' })
      const credentials = {
        accessKeyId: AccessKey?.AccessKeyId ?? '',
        secretAccessKey: AccessKey?.SecretAccessKey ?? '',
      }
      const document = (repository: string) =>
        JSON.stringify({
          Statement: [
            { Effect: 'Allow', Action: 'ecr:GetAuthorizationToken', Resource: '*' },
            {
              Effect: 'Allow',
              Action: 'ecr:*',
              Resource: `arn:aws:ecr:us-east-1:000000000000:repository/${repository}`,
            },
          ],
        })
      const allow = (repository: string) =>
        iam.putUserPolicy({ UserName: 'nodes', PolicyName: 'own', PolicyDocument: document(repository) })
      await allow('prometheus/*')
      await using nodes = await openOciClient(world.server, { credentials })
      // A caller without rights does not learn whether a rule caches the host, nor by which prefix.
      for (const [name, host] of [
        ['prometheus/prometheus', 'quay.io'],
        ['prometheus/absent', 'quay.io'],
        ['team/app', 'gcr.io'],
      ]) {
        for (const [method, action] of [
          ['GET', 'BatchGetImage'],
          ['PUT', 'PutImage'],
        ] as const) {
          const denied = await nodes.call(method, `/v2/${name}/manifests/v1?ns=${host}`)
          const text = `User: arn:aws:iam::000000000000:user/nodes is not authorized to perform: ecr:${action} on resource: ${name} of ${host} because no identity-based policy allows the ecr:${action} action (request id: `
          assert.equal(expect(denied, 403, 'DENIED').message.slice(0, text.length), text)
        }
      }
      const pull = () => nodes.call('GET', '/v2/prometheus/prometheus/manifests/v1?ns=quay.io')

      await allow('quay/*')
      expect(await pull(), 200)
      using audit = openAuditReader(world.server)
      const [record] = await audit.records({
        LookupAttributes: [{ AttributeKey: 'ResourceName', AttributeValue: 'quay/prometheus/prometheus' }],
      })
      assert.ok(record?.resources?.[0]?.ARN.endsWith(':repository/quay/prometheus/prometheus'))
      for (;;) {
        const images = new DescribeImagesCommand({ repositoryName: 'quay/prometheus/prometheus' })
        const { imageDetails = [] } = await world.client.ecr.send(images)
        if (imageDetails.some(({ lastRecordedPullTime }) => lastRecordedPullTime !== undefined)) break
      }
    })

    test('a denial in the policy of the repository that is meant counts', async () => {
      const policyText = JSON.stringify({
        Statement: { Effect: 'Deny', Principal: '*', Action: 'ecr:BatchGetImage' },
      })
      await push('k8s/pause')
      expect(await world.call('GET', '/v2/pause/manifests/v1?ns=registry.k8s.io'), 200)
      await world.client.ecr.send(new SetRepositoryPolicyCommand({ repositoryName: 'k8s/pause', policyText }))
      expect(await world.call('GET', '/v2/pause/manifests/v1?ns=registry.k8s.io'), 403, 'DENIED')
    })
  },
  { environment },
)

test('the log has the repository beside the path that was asked for', async () => {
  const { log, lines } = logLines()
  await using server = await startServer({ environment, log })
  await using client = await openOciClient(server)
  await client.call('GET', '/v2/library/alpine/manifests/v1', { headers: { host: hub } })
  const findLine = () => lines().find(({ path }) => path === '/v2/library/alpine/manifests/v1')
  while (findLine() === undefined) await setImmediate()
  assert.equal(findLine()?.repository, 'docker-hub/library/alpine')
})

function disposable(client: IAM): IAM & Disposable {
  return Object.assign(client, { [Symbol.dispose]: () => client.destroy() })
}
