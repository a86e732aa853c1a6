/** The grammars of names: each accepts exactly what its source says, and `parse` gives back the text that it was given. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Refusal } from '#lib/refusal.ts'
import { isAccountId, parseAccountId } from '#names/account.ts'
import { parseRepositoryArn, repositoryArn } from '#names/arn.ts'
import { digestAlgorithm, digestHex, digestOf, isDigest, parseDigest } from '#names/digest.ts'
import { isMediaType, parseMediaType } from '#names/media-type.ts'
import { parseReference } from '#names/reference.ts'
import type { NameKind } from '#names/refusals.ts'
import { isRegion, parseRegion } from '#names/region.ts'
import { isRepositoryName, parseRepositoryName } from '#names/repository-name.ts'
import { isTag, parseTag } from '#names/tag.ts'
import model from '../../../src/ecr/model.json' with { type: 'json' }

const { shapes } = model
const whole = (pattern: string) => new RegExp(`^(?:${pattern})$`)

/** `<name>` and `<reference>` as a tag, of the OCI distribution specification ("Pulling manifests"). */
const ociName = whole('[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(\\/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*')
const ociTag = whole('[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}')
const sha256 = /^sha256:[0-9a-f]{64}$/
const sha512 = /^sha512:[0-9a-f]{128}$/
const restrictedName = '[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}' // RFC 6838 section 4.2

interface Grammar {
  readonly kind: NameKind
  readonly is: (text: string) => boolean
  readonly parse: (text: string) => string
  readonly accepts: (text: string) => boolean
  readonly valid: fc.Arbitrary<string>
  /** What near misses are made of. */
  readonly alphabet: string
}

const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`))
const lengthOf = ({ min, max }: { min: number; max: number }, text: string) => text.length >= min && text.length <= max

const grammars: readonly Grammar[] = [
  {
    kind: 'repository',
    is: isRepositoryName,
    parse: parseRepositoryName,
    accepts: (text) => whole(shapes.RepositoryName.pattern).test(text) && lengthOf(shapes.RepositoryName, text),
    valid: fc.stringMatching(ociName).filter((text) => text.length >= 2 && text.length <= 256),
    alphabet: 'a0._-/A',
  },
  {
    kind: 'tag',
    is: isTag,
    parse: parseTag,
    accepts: (text) => ociTag.test(text),
    valid: fc.stringMatching(ociTag),
    alphabet: 'aA0_.-:/',
  },
  {
    kind: 'digest',
    is: isDigest,
    parse: parseDigest,
    accepts: (text) => sha256.test(text) || sha512.test(text),
    valid: fc.oneof(
      hex(64).map((text) => `sha256:${text}`),
      hex(128).map((text) => `sha512:${text}`),
    ),
    alphabet: 'sha256:f0A',
  },
  {
    kind: 'media type',
    is: isMediaType,
    parse: parseMediaType,
    accepts: (text) => whole(`${restrictedName}/${restrictedName}`).test(text),
    valid: fc.stringMatching(whole(`${restrictedName}/${restrictedName}`)),
    alphabet: 'aZ0/+.; ',
  },
  {
    kind: 'account',
    is: isAccountId,
    parse: parseAccountId,
    accepts: (text) => whole(shapes.RegistryId.pattern).test(text),
    valid: fc.stringMatching(/^[0-9]{12}$/),
    alphabet: '09 a',
  },
  {
    kind: 'region',
    is: isRegion,
    parse: parseRegion,
    accepts: (text) => text.length <= 64 && /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(text),
    valid: fc.constantFrom('us-east-1', 'eu-central-1', 'cn-north-1', 'us-gov-west-1', 'lab', 'rack7'),
    alphabet: 'a0-A.',
  },
]

/** A valid text in which one character was added, replaced or taken out. */
const almost = ({ valid, alphabet }: Grammar) =>
  fc
    .tuple(valid, fc.nat(), fc.nat(1), fc.constantFrom('', '\n', ' ', 'é', ...alphabet))
    .map(([text, at, taken, put]) => {
      const place = at % (text.length + 1)
      return text.slice(0, place) + put + text.slice(place + taken)
    })

for (const grammar of grammars) {
  const { kind, is, parse, accepts, valid, alphabet } = grammar

  describe(`the name of a kind: ${kind}`, () => {
    test('what is valid is given back as it is', () => {
      fc.assert(
        fc.property(valid, (text) => {
          assert.ok(is(text))
          assert.equal(parse(text), text)
        }),
      )
    })

    test('it accepts what its source accepts, and refuses the rest with the text and its kind', () => {
      const letters = fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 30 })
      fc.assert(
        fc.property(fc.oneof(letters, almost(grammar), fc.string()), (text) => {
          assert.equal(is(text), accepts(text))
          if (!accepts(text)) {
            assert.throws(
              () => parse(text),
              (error: Refusal) => {
                assert.deepEqual([error.code, error.facts], ['NameInvalid', { kind, value: text }])
                return true
              },
            )
          }
        }),
        { numRuns: 500 },
      )
    })
  })
}

describe('repository names', () => {
  test('they have 2 to 256 characters', () => {
    assert.deepEqual(
      [1, 2, 256, 257].map((length) => isRepositoryName('a'.repeat(length))),
      [false, true, true, false],
    )
  })

  test('a long name that fits nowhere is refused at once', () => {
    for (const text of [`${'a'.repeat(255)}/`, `${'a-'.repeat(127)}.`, `${'a/'.repeat(127)}_`]) {
      const before = performance.now()
      assert.ok(!isRepositoryName(text))
      assert.ok(performance.now() - before < 100)
    }
  })
})

describe('tags', () => {
  test('they have 1 to 128 characters', () => {
    assert.deepEqual(
      [0, 1, 128, 129].map((length) => isTag('a'.repeat(length))),
      [false, true, true, false],
    )
  })
})

describe('digests', () => {
  test('algorithm and hexadecimal half make the digest again', () => {
    const digests = fc.oneof(
      hex(64).map((text) => `sha256:${text}`),
      hex(128).map((text) => `sha512:${text}`),
    )
    fc.assert(
      fc.property(digests, (text) => {
        const digest = parseDigest(text)
        assert.equal(digestOf(digestAlgorithm(digest), digestHex(digest)), digest)
      }),
    )
  })

  test('upper case, other algorithms and other lengths are none', () => {
    const digits = '0123456789abcdef'.repeat(4)
    const bad = ['', digits, `sha256:${digits.toUpperCase()}`, `SHA256:${digits}`, `sha1:${digits}`, `sha512:${digits}`]
    for (const text of [...bad, `sha256:${digits}0`, `sha256:${digits}\n`, ` sha256:${digits}`])
      assert.ok(!isDigest(text))
  })
})

describe('references', () => {
  test('a text with a colon is a digest, any other a tag', () => {
    const digest = `sha256:${'0'.repeat(64)}`
    assert.deepEqual(parseReference(digest), { digest })
    assert.deepEqual(parseReference('latest'), { tag: 'latest' })
    assert.throws(() => parseReference('sha256:0'), { facts: { kind: 'digest', value: 'sha256:0' } })
    assert.throws(() => parseReference('-x'), { facts: { kind: 'tag', value: '-x' } })
  })
})

describe('repository ARNs', () => {
  const parts = fc.record({
    account: fc.stringMatching(/^[0-9]{12}$/).map(parseAccountId),
    region: fc.constantFrom('us-east-1', 'eu-central-1', 'lab').map(parseRegion),
    repository: fc
      .stringMatching(ociName)
      .filter((text) => text.length >= 2 && text.length <= 256)
      .map(parseRepositoryName),
  })

  test('an ARN that was printed parses to what it was printed from', () => {
    fc.assert(
      fc.property(parts, ({ account, region, repository }) => {
        const arn = repositoryArn({ account, region }, repository)
        assert.equal(arn, `arn:aws:ecr:${region}:${account}:repository/${repository}`)
        assert.deepEqual(parseRepositoryArn(arn), { account, region, repository })
      }),
    )
  })

  test('what is no ARN of a repository is refused', () => {
    const bad = [
      '',
      'arn:aws:ecr:us-east-1:000000000000:repository/',
      'arn:aws:ecr:us-east-1:000000000000:repository/a',
      'arn:aws:ecr:us-east-1:000000000000:repository/Apps',
      'arn:aws:ecr:us-east-1:00000000000:repository/apps',
      'arn:aws:ecr::000000000000:repository/apps',
      'arn:aws:s3:us-east-1:000000000000:repository/apps',
      'arn:aws:ecr:us-east-1:000000000000:apps',
      ' arn:aws:ecr:us-east-1:000000000000:repository/apps',
      'arn:aws:ecr:us-east-1:000000000000:repository/apps\n',
    ]
    for (const value of bad) {
      assert.throws(() => parseRepositoryArn(value), { code: 'NameInvalid', facts: { kind: 'arn', value } })
    }
  })
})
