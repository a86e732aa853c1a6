import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ApiModel, Shape } from '#aws/api-model.ts'
import { AwsError } from '#aws/aws-error.ts'
import { compileWriter } from '#aws/serialize.ts'
import { compileReader } from '#aws/validate.ts'
import { ecrViolations } from '#aws/violations.ts'
import { constraints } from '#ecr/constraints.ts'
import { model } from '#ecr/model.ts'

function readInput(operation: string, input: unknown, unchecked: readonly string[] = []): unknown {
  const shape = model.operations[operation]?.input
  assert.ok(shape !== undefined)
  return compileReader(model, shape, { constraints, unchecked, violations: ecrViolations })(input, '')
}

function violation(path: string, constraint: string) {
  return {
    code: 'InvalidParameterException',
    message: `Invalid parameter at '${path}' failed to satisfy constraint: '${constraint}'`,
  }
}

function wrongType(message: string) {
  return { code: 'SerializationException', message }
}

const name = 'team/app'
const namePattern = '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*'
const uuid = '01234567-89ab-cdef-0123-456789abcdef'
const part = { repositoryName: name, uploadId: uuid, partFirstByte: 0, partLastByte: 2 }

const refusals: readonly (readonly [operation: string, input: unknown, { code: string; message: string }])[] = [
  ['CreateRepository', {}, violation('repositoryName', 'Member must not be null')],
  ['CreateRepository', { repositoryName: null }, violation('repositoryName', 'Member must not be null')],
  [
    'CreateRepository',
    { repositoryName: 'Team/App' },
    violation('repositoryName', `must satisfy regular expression '${namePattern}'`),
  ],
  [
    'CreateRepository',
    { repositoryName: `${name}\n` },
    violation('repositoryName', `must satisfy regular expression '${namePattern}'`),
  ],
  [
    'CreateRepository',
    { repositoryName: 'a' },
    violation('repositoryName', 'Member must have length greater than or equal to 2'),
  ],
  [
    'CreateRepository',
    { repositoryName: 'a'.repeat(257) },
    violation('repositoryName', 'Member must have length less than or equal to 256'),
  ],
  [
    'CreateRepository',
    { repositoryName: name, registryId: '12' },
    violation('registryId', "must satisfy regular expression '[0-9]{12}'"),
  ],
  [
    'CreateRepository',
    { repositoryName: name, imageTagMutability: 'SOMETIMES' },
    violation(
      'imageTagMutability',
      'Member must satisfy enum value set: [MUTABLE, IMMUTABLE, IMMUTABLE_WITH_EXCLUSION, MUTABLE_WITH_EXCLUSION]',
    ),
  ],
  ['CreateRepository', { repositoryName: name, tags: [{ Key: 'k' }] }, violation('Value', 'Member must not be null')],
  ['CreateRepository', { repositoryName: name, tags: [null] }, violation('tags', 'Member must not be null')],
  [
    'DescribeRepositories',
    { maxResults: 1001 },
    violation('maxResults', 'Member must have value less than or equal to 1000'),
  ],
  [
    'DescribeRepositories',
    { maxResults: 0 },
    violation('maxResults', 'Member must have value greater than or equal to 1'),
  ],
  [
    'DescribeRepositories',
    { repositoryNames: [] },
    violation('repositoryNames', 'Member must have length greater than or equal to 1'),
  ],
  [
    'BatchGetImage',
    { repositoryName: name, imageIds: Array(101).fill({ imageTag: 'a' }) },
    violation('imageIds', 'Member must have length less than or equal to 100'),
  ],
  [
    'DescribeImages',
    { repositoryName: name, imageIds: [{ imageDigest: 'latest' }] },
    violation('imageDigest', "must satisfy regular expression '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"),
  ],
  [
    'CompleteLayerUpload',
    { repositoryName: name, uploadId: uuid, layerDigests: ['nope'] },
    violation('layerDigests', "must satisfy regular expression '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"),
  ],
  [
    'UploadLayerPart',
    { ...part, partFirstByte: -1, layerPartBlob: 'YWJj' },
    violation('partFirstByte', 'Member must have value greater than or equal to 0'),
  ],
  ['CreateRepository', [], wrongType('The request must be an object.')],
  ['CreateRepository', 'text', wrongType('The request must be an object.')],
  ['CreateRepository', { repositoryName: 7 }, wrongType("The value of 'repositoryName' must be a string.")],
  ['CreateRepository', { repositoryName: name, tags: {} }, wrongType("The value of 'tags' must be a list.")],
  ['CreateRepository', { repositoryName: name, tags: ['a'] }, wrongType("The value of 'tags' must be an object.")],
  ['DeleteRepository', { repositoryName: name, force: 'true' }, wrongType("The value of 'force' must be a boolean.")],
  ['DescribeRepositories', { maxResults: '5' }, wrongType("The value of 'maxResults' must be a whole number.")],
  ['DescribeRepositories', { maxResults: 1.5 }, wrongType("The value of 'maxResults' must be a whole number.")],
  ...['a', 'YQ', 'YQ=', 'YW=j', 'YW Jj', 'YWJ\n', 'YQ==YQ==', '_-_-', '====', 7].map(
    (layerPartBlob) =>
      [
        'UploadLayerPart',
        { ...part, layerPartBlob },
        wrongType("The value of 'layerPartBlob' must be base64."),
      ] as const,
  ),
]

for (const [operation, input, error] of refusals) {
  test(`${operation} refuses ${JSON.stringify(input).slice(0, 90)}: ${error.message}`, () => {
    assert.throws(
      () => readInput(operation, input),
      (thrown) => {
        assert.ok(thrown instanceof AwsError)
        assert.deepEqual({ code: thrown.code, message: thrown.message }, error)
        return true
      },
    )
  })
}

test('a layer part of 20 MiB is read, and one byte more is not', () => {
  const of = (bytes: number) => ({ ...part, layerPartBlob: Buffer.alloc(bytes, 1).toString('base64') })
  assert.deepEqual(readInput('UploadLayerPart', of(20_971_520)), {
    ...part,
    layerPartBlob: Buffer.alloc(20_971_520, 1),
  })
  assert.throws(() => readInput('UploadLayerPart', of(20_971_521)), /length less than or equal to 20971520/)
})

test('members that the model does not name are dropped, and null is absence', () => {
  assert.deepEqual(
    readInput('CreateRepository', { repositoryName: name, tags: null, future: { a: 1 }, __proto__: {} }),
    {
      repositoryName: name,
    },
  )
})

test('an operation may answer for the constraints of a shape itself', () => {
  const input = { repositoryName: name, imageIds: [{ imageDigest: 'not a digest' }] }
  assert.deepEqual(readInput('BatchGetImage', input, ['ImageDigest']), input)
  assert.throws(() => readInput('BatchGetImage', input))
})

test('every input and output of the model compiles', () => {
  for (const { input, output } of Object.values(model.operations)) {
    for (const shape of [input, output]) {
      compileReader(model, shape, { constraints, unchecked: [], violations: ecrViolations })
      compileWriter(model, shape, { unknownMembers: 'refuse' })
    }
  }
})

test('a scanning filter of the longest length is decided at once', () => {
  const input = {
    scanType: 'BASIC',
    rules: [
      { scanFrequency: 'MANUAL', repositoryFilters: [{ filter: `${'a'.repeat(250)}!`, filterType: 'WILDCARD' }] },
    ],
  }
  assert.throws(() => readInput('PutRegistryScanningConfiguration', input), /must satisfy regular expression/)
})

test('the safe pattern of scanning filters admits what the model’s does', () => {
  const own = new RegExp(`^(?:${constraints.ScanningRepositoryFilterValue.pattern})$`)
  const models = /^[a-z0-9*](?:[._\-/a-z0-9*]?[a-z0-9*]+)*$/
  const text = fc.string({ unit: fc.constantFrom('a', '0', '*', '.', '_', '-', '/', 'A'), maxLength: 10 })
  fc.assert(
    fc.property(text, (value) => own.test(value) === models.test(value)),
    { numRuns: 2000 },
  )
})

/** A small model with every kind of shape, and for each shape the values that it admits on the wire. */
const small: ApiModel = {
  operations: {},
  errors: {},
  shapes: {
    Name: { type: 'string', min: 1, max: 5, pattern: '[a-z]+' },
    Colour: { type: 'string', enum: ['RED', 'GREEN'] },
    Count: { type: 'integer', min: -3, max: 9 },
    Ratio: { type: 'double' },
    Flag: { type: 'boolean' },
    At: { type: 'timestamp' },
    Bytes: { type: 'blob', min: 1, max: 6 },
    Names: { type: 'list', member: { shape: 'Name' }, min: 1, max: 3 },
    Ratios: { type: 'map', key: { shape: 'Colour' }, value: { shape: 'Ratio' } },
    Inner: {
      type: 'structure',
      members: { names: { shape: 'Names' }, ratios: { shape: 'Ratios' } },
      required: ['names'],
    },
    Outer: {
      type: 'structure',
      members: {
        name: { shape: 'Name' },
        count: { shape: 'Count' },
        flag: { shape: 'Flag' },
        at: { shape: 'At' },
        bytes: { shape: 'Bytes' },
        inner: { shape: 'Inner' },
      },
      required: ['name', 'inner'],
    },
  },
}

const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'z'), minLength: 1, maxLength: 5 })
const valid = {
  Colour: fc.constantFrom('RED', 'GREEN'),
  Count: fc.integer({ min: -3, max: 9 }),
  Ratio: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
  Flag: fc.boolean(),
  At: fc.integer({ min: 0, max: 4e12 }).map((ms) => ms / 1000),
  Bytes: fc.uint8Array({ minLength: 1, maxLength: 6 }).map((bytes) => Buffer.from(bytes).toString('base64')),
}
const names = fc.array(letters, { minLength: 1, maxLength: 3 })
const inner = fc.record({ names, ratios: fc.dictionary(valid.Colour, valid.Ratio) }, { requiredKeys: ['names'] })
const outer = fc.record(
  { name: letters, count: valid.Count, flag: valid.Flag, at: valid.At, bytes: valid.Bytes, inner },
  { requiredKeys: ['name', 'inner'] },
)

function read(shapeName: string, value: unknown): unknown {
  return compileReader(small, shapeName, { constraints: {}, unchecked: [], violations: ecrViolations })(value, 'it')
}

test('what fits its shape is read, and written again as it was', () => {
  const write = compileWriter(small, 'Outer', { unknownMembers: 'refuse' })
  fc.assert(
    fc.property(outer, (value) => {
      assert.deepEqual(JSON.parse(JSON.stringify(write(read('Outer', value)))), JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('a timestamp keeps its millisecond', () => {
  assert.deepEqual(read('At', 1.001), new Date(1001))
})

test('any JSON is read to something of its shape, or refused by an AWS error', () => {
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(small.shapes)), fc.jsonValue(), (shapeName, value) => {
      let result: unknown
      try {
        result = read(shapeName, value)
      } catch (error) {
        assert.ok(error instanceof AwsError, String(error))
        assert.ok(!fits(shapeName, value), 'a value that fits was refused')
        return
      }
      assert.ok(result !== undefined && fits(shapeName, value), 'a value that does not fit was read')
    }),
    { numRuns: 2000 },
  )
})

test('what fits but for one leaf is refused', () => {
  const broken = fc.oneof(
    outer.map(({ name: _, ...rest }) => rest),
    outer.map((value) => ({ ...value, name: 'UPPER' })),
    outer.map((value) => ({ ...value, name: '' })),
    outer.map((value) => ({ ...value, name: 'abcdef' })),
    outer.map((value) => ({ ...value, count: 10 })),
    outer.map((value) => ({ ...value, count: 1.5 })),
    outer.map((value) => ({ ...value, at: '2026-01-01' })),
    outer.map((value) => ({ ...value, bytes: '' })),
    outer.map((value) => ({ ...value, bytes: '!!!!' })),
    outer.map((value) => ({ ...value, inner: { ...value.inner, names: [] } })),
    outer.map((value) => ({ ...value, inner: { ...value.inner, names: [...value.inner.names, 9] } })),
    outer.map((value) => ({ ...value, inner: { ...value.inner, ratios: { BLUE: 1 } } })),
    outer.map((value) => ({ ...value, inner: { ...value.inner, ratios: { RED: null } } })),
  )
  fc.assert(fc.property(broken, (value) => assert.throws(() => read('Outer', value), AwsError)))
})

/** A second, slow validator: whether a wire value is of a shape. */
function fits(shapeName: string, value: unknown): boolean {
  const shape: Shape | undefined = small.shapes[shapeName]
  assert.ok(shape !== undefined)
  const within = (size: number, { min = -Infinity, max = Infinity }: { min?: number; max?: number }) =>
    size >= min && size <= max
  const record =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? new Map(Object.entries(value)) : undefined
  switch (shape.type) {
    case 'string': {
      if (typeof value !== 'string' || !within(value.length, shape)) return false
      return (
        (shape.enum?.includes(value) ?? true) &&
        (shape.pattern === undefined || value.replace(new RegExp(shape.pattern), '') === '')
      )
    }
    case 'integer':
    case 'long':
      return typeof value === 'number' && Number.isInteger(value) && within(value, shape)
    case 'double':
      return typeof value === 'number'
    case 'timestamp':
      return typeof value === 'number' && Math.abs(value) <= 8.64e12
    case 'boolean':
      return value === true || value === false
    case 'blob': {
      if (typeof value !== 'string') return false
      const bytes = Buffer.from(value, 'base64')
      return (
        bytes.toString('base64').length === value.length &&
        /^[A-Za-z0-9+/]*={0,2}$/.test(value) &&
        within(bytes.length, shape)
      )
    }
    case 'list':
      return (
        Array.isArray(value) && within(value.length, shape) && value.every((item) => fits(shape.member.shape, item))
      )
    case 'map':
      return (
        record !== undefined &&
        [...record].every(([key, item]) => fits(shape.key.shape, key) && fits(shape.value.shape, item))
      )
    case 'structure':
      return (
        record !== undefined &&
        Object.entries(shape.members).every(([member, { shape: memberShape }]) => {
          const item = record.get(member) ?? undefined
          return item === undefined ? !shape.required?.includes(member) : fits(memberShape, item)
        })
      )
  }
}
