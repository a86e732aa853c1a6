/** What `lading in-use report` makes of what tools say of running images. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { InventoryError, ofRegistry, parseInventory } from '#commands/in-use/inventory.ts'
import { parseMirror } from '#commands/in-use/mirrors.ts'
import { parseReference } from '#commands/in-use/references.ts'

const digest = (place: number) => `sha256:${String(place).padStart(64, '0')}`
const [a, b, c] = [digest(1), digest(2), digest(3)]
const host = 'registry.example:5000'

const told = (input: unknown) => {
  const { references, withoutDigest } = parseInventory(typeof input === 'string' ? input : JSON.stringify(input))
  const names = references.map(({ host, repository, digest }) => `${host ?? ''}/${repository}@${digest}`)
  return { names: names.sort((x, y) => (x < y ? -1 : 1)), withoutDigest }
}

test('a name is taken apart as runtimes write it', () => {
  for (const [text, expected] of [
    [`${host}/team/app:v1@${a}`, [host, 'team/app', a]],
    [`docker-pullable://${host}/team/app@${a}`, [host, 'team/app', a]],
    [`localhost/app@${a}`, ['localhost', 'app', a]],
    [`127.0.0.1:5100/app:v1`, ['127.0.0.1:5100', 'app', undefined]],
    [`Registry.Example/app@${a}`, ['registry.example', 'app', a]],
    [`team/app@${a}`, [undefined, 'team/app', a]],
    ['nginx:1.27', [undefined, 'nginx', undefined]],
    [`app@sha256:short`, [undefined, 'app', undefined]],
  ] as const) {
    const { host, repository, digest } = parseReference(text) ?? {}
    assert.deepEqual([host, repository, digest], expected, text)
  }
  for (const text of ['', a, `docker://${a}`, 'two words', '<none>', `${host}/`]) {
    assert.equal(parseReference(text), undefined, text)
  }
})

test('of pods every container counts, by the digests of its status and of its specification', () => {
  const pod = (spec: object, status: object) => ({ apiVersion: 'v1', kind: 'Pod', spec, status })
  const list = {
    kind: 'List',
    items: [
      pod(
        {
          containers: [
            { name: 'app', image: `${host}/team/app:v1` },
            { name: 'waiting', image: `${host}/team/waiting:v1` },
          ],
          initContainers: [{ name: 'init', image: `${host}/team/init@${c}` }],
        },
        {
          containerStatuses: [
            { name: 'app', image: `${host}/team/app:v1`, imageID: `docker-pullable://${host}/team/app@${a}` },
            { name: 'waiting', image: `${host}/team/waiting:v1`, imageID: '' },
          ],
          initContainerStatuses: [{ name: 'init', image: c, imageID: `${host}/team/init@${b}` }],
          ephemeralContainerStatuses: [{ name: 'debug', image: 'busybox', imageID: `docker.io/library/busybox@${a}` }],
        },
      ),
      // The same content under two names: the runtime tells one of them.
      pod(
        { containers: [{ name: 'app', image: `${host}/team/copy:v1` }] },
        { containerStatuses: [{ name: 'app', image: `${host}/team/copy:v1`, imageID: `mirror.example/app@${a}` }] },
      ),
      // Loaded by hand: what the runtime tells is a configuration's digest.
      pod(
        { containers: [{ name: 'app', image: 'local:dev' }] },
        { containerStatuses: [{ name: 'app', image: 'local:dev', imageID: `docker://${a}` }] },
      ),
      { kind: 'Service', spec: { ports: [] } },
    ],
  }
  assert.deepEqual(told(list), {
    names: [
      `/busybox@${a}`,
      `docker.io/library/busybox@${a}`,
      `mirror.example/app@${a}`,
      `${host}/team/app@${a}`,
      `${host}/team/copy@${a}`,
      `${host}/team/init@${b}`,
      `${host}/team/init@${c}`,
    ].sort((x, y) => (x < y ? -1 : 1)),
    withoutDigest: [`${host}/team/waiting:v1`, 'local:dev'],
  })
})

test('templates of pods count by the digests that they name', () => {
  const spec = (image: string) => ({ containers: [{ name: 'app', image }] })
  assert.deepEqual(
    told([
      { kind: 'Deployment', spec: { template: { spec: spec(`${host}/app@${a}`) } } },
      { kind: 'CronJob', spec: { jobTemplate: { spec: { template: { spec: spec(`${host}/job@${b}`) } } } } },
      { kind: 'PodTemplate', template: { spec: spec(`${host}/template@${c}`) } },
      { kind: 'CronJob', spec: { jobTemplate: { spec: { template: { spec: spec(`${host}/job:latest`) } } } } },
    ]),
    {
      names: [`${host}/app@${a}`, `${host}/job@${b}`, `${host}/template@${c}`],
      withoutDigest: [`${host}/job:latest`],
    },
  )
})

test('of tasks of ECS the digest that was pulled counts', () => {
  const containers = [
    { name: 'app', image: `${host}/app:v1`, imageDigest: a },
    { name: 'starting', image: `${host}/starting:v1` },
  ]
  const expected = { names: [`${host}/app@${a}`], withoutDigest: [`${host}/starting:v1`] }
  assert.deepEqual(told({ tasks: [{ containers }], failures: [] }), expected)
  assert.deepEqual(told([{ tasks: [{ containers }] }, { tasks: [] }]), expected)
})

test('documents that follow one another count together', () => {
  const answer = (image: string, imageDigest: string, group: string) =>
    JSON.stringify({ tasks: [{ group, containers: [{ image, imageDigest }] }], failures: [] }, undefined, 2)
  const text = [
    answer(`${host}/app:v1`, a, 'a "]}" b'),
    answer(`${host}/app:v2`, b, '\\'),
    `[${answer(`${host}/app:v3`, c, '{[')}]`,
  ]
  const expected = { names: [a, b, c].map((each) => `${host}/app@${each}`), withoutDigest: [] }
  for (const between of ['', '\n', ' \r\n\n']) assert.deepEqual(told(text.join(between)), expected)
})

test('an answer of ECS that lacks tasks is refused, wherever it stands', () => {
  const whole = { tasks: [{ containers: [{ image: `${host}/app:v1`, imageDigest: a }] }], failures: [] }
  const failures = [1, 2, 3, 4].map((task) => ({ arn: `arn:aws:ecs:task/${task}`, reason: 'MISSING' }))
  for (const lacking of [
    { ...whole, failures: failures.slice(0, 1) },
    { tasks: [], failures },
  ]) {
    for (const input of [JSON.stringify([whole, lacking]), JSON.stringify(whole) + JSON.stringify(lacking)]) {
      assert.throws(() => parseInventory(input), {
        name: 'InventoryError',
        message: /^some tasks were not described, .* known: arn:aws:ecs:task\/1 \(MISSING\)(?:, .* and 1 more)?$/,
      })
    }
  }
})

test('lines count, but for blank ones and remarks; what is no line is said by its number', () => {
  const lines = `# of the canary\n\n team/app@${a} \r\n${host}/team/app:v2@${b}\nteam/app:v3\nteam/app@<none>\n`
  assert.deepEqual(told(lines), {
    names: [`/team/app@${a}`, `${host}/team/app@${b}`],
    withoutDigest: ['team/app:v3', 'team/app@<none>'],
  })
  assert.throws(() => parseInventory(`team/app@${a}\nError from server`), {
    message: /^line 2 names no image: expected/,
  })
})

const registry = { hosts: [host.toUpperCase()], region: 'us-east-1' }

test('only images of the registry count, and the others are counted', () => {
  const at = (repository: string, of = a) => `${repository}@${of}`
  const images = [
    at(`${host}/own`),
    at('123456789012.dkr.ecr.us-east-1.registry.example/own'),
    at('123456789012.dkr.ecr.eu-west-1.registry.example/other-region', b),
    at('dkr.ecr.us-east-1.registry.example/no-account', b),
    at('docker.io/library/nginx', c),
  ]
  const own = (text: string) => {
    const found = ofRegistry(parseInventory(text), { ...registry, mirrors: [] })
    return [found.own.map(({ repository }) => repository), found.others]
  }
  const pods = { kind: 'Pod', spec: { containers: [...images, at('bare', c)].map((image) => ({ image })) } }
  assert.deepEqual(own(JSON.stringify(pods)), [['own', 'own'], 2])
  assert.deepEqual(own([...images, at('bare', c)].join('\n')), [['own', 'own', 'bare'], 1])
})

test('images pulled through a mirror under the name of their upstream count under their names here', () => {
  const images = [
    `nginx@${a}`,
    `docker.io/library/busybox:1@${a}`,
    `index.docker.io/team/tool@${b}`,
    `quay.example:8443/team/app@${b}`,
    `quay.example/team/app@${c}`,
    `${host}/own@${c}`,
  ]
  const pods = JSON.stringify({ kind: 'Pod', spec: { containers: images.map((image) => ({ image })) } })
  const own = (...texts: string[]) => {
    const mirrors = texts.map((text) => parseMirror(text) ?? assert.fail(text))
    return ofRegistry(parseInventory(pods), { ...registry, mirrors }).own.map(({ repository }) => repository)
  }
  assert.deepEqual(own(), ['own'])
  const fromHub = (prefix: string) => ['library/nginx', 'library/busybox', 'team/tool'].map((name) => prefix + name)
  for (const mirror of ['docker.io=docker-hub/', 'Docker.IO=docker-hub', 'index.docker.io=docker-hub/']) {
    assert.deepEqual(own(mirror), [...fromHub('docker-hub/'), 'own'], mirror)
  }
  assert.deepEqual(own('docker.io='), [...fromHub(''), 'own'])
  assert.deepEqual(own('quay.example:8443=mirrors/quay/'), ['mirrors/quay/team/app', 'own'])
  assert.deepEqual(own('quay.example=one/', 'quay.example=two/'), ['one/team/app', 'two/team/app', 'own'])
  // In a list that a person wrote, a name without a host is of this registry.
  const written = ofRegistry(parseInventory(`team/app@${a}`), {
    ...registry,
    mirrors: [{ host: 'docker.io', prefix: 'x' }],
  })
  assert.deepEqual(
    written.own.map(({ repository }) => repository),
    ['team/app'],
  )
  for (const text of [
    '',
    'docker.io',
    '=x/',
    'docker.io/library=x/',
    'docker.io=X/',
    'docker.io=x//',
    'pods.json',
    'a=b=c',
  ]) {
    assert.equal(parseMirror(text), undefined, text)
  }
})

test('whatever is not understood is refused in words, so that no report takes protection away by mistake', () => {
  for (const [input, message] of [
    ['', /^there is no input: expected/],
    [' \n', /^there is no input/],
    ['{"kind": "List", "items": [', /^the input is not valid JSON/],
    ['{"items": []} {"items": [', /^the input is not valid JSON/],
    ['{"items": []} nginx:1', /^the input is not valid JSON/],
    ['{"items": []}}', /^the input is not valid JSON/],
    ['{"items": []} {"message": "Unauthorized"}', /^the input names nothing that runs images/],
    ['{"message": "Unauthorized"}', /^the input names nothing that runs images/],
    ['[1]', /^the input names nothing that runs images/],
    [`${'['.repeat(50)}${']'.repeat(50)}`, /^the input names nothing that runs images/],
  ] as const) {
    assert.throws(() => parseInventory(input), { name: 'InventoryError', message }, input)
  }
  const quietly = (text: string) => {
    try {
      for (const { digest } of parseInventory(text).references) assert.match(digest, /^sha(256|512):/)
    } catch (error) {
      if (!(error instanceof InventoryError)) throw error
      assert.notEqual(error.message, '')
    }
  }
  fc.assert(fc.property(fc.string(), quietly))
  fc.assert(fc.property(fc.json(), quietly))
  const texts = fc.oneof(fc.string(), fc.constantFrom(`${host}/app@${a}`, 'app:v1', a, '', '__proto__'))
  const value = fc.oneof(texts, fc.jsonValue({ maxDepth: 1 }))
  const container = fc.record({ name: value, image: value, imageID: value, imageDigest: value }, { requiredKeys: [] })
  const containers = fc.oneof(fc.array(fc.oneof(container, value), { maxLength: 3 }), value)
  const spec = fc.record({ containers, initContainers: containers }, { requiredKeys: [] })
  const object = fc.record(
    { kind: value, spec: fc.oneof(spec, value), status: fc.record({ containerStatuses: containers }), containers },
    { requiredKeys: [] },
  )
  const documents = fc.oneof(
    object,
    fc.array(object),
    fc.record({ items: fc.array(object) }),
    fc.record({ tasks: fc.array(object) }),
  )
  fc.assert(fc.property(documents, (document) => quietly(JSON.stringify(document))))
})
