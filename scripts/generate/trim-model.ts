/**
 * Trims a service description of botocore (Apache-2.0) to the operations of a service that Lading serves, without its
 * texts:
 *
 *     node scripts/generate/trim-model.ts <botocore>/data/iam/2010-05-08/service-2.json.gz 1.43.11 src/iamapi/model.json
 *
 * Run it when `served-operations.ts` has more operations, or for a newer description; then `npm run generate`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { corrections } from './model-corrections.ts'
import { servedOperations } from './served-operations.ts'

interface Reference {
  readonly shape: string
}

interface DescribedShape {
  readonly type: string
  readonly members?: Readonly<Record<string, Reference>>
  readonly member?: Reference
  readonly key?: Reference
  readonly value?: Reference
  readonly required?: readonly string[]
  readonly exception?: boolean
  readonly error?: { readonly code: string; readonly httpStatusCode: number }
}

interface Description {
  readonly metadata: Readonly<Record<string, string>>
  readonly operations: Readonly<
    Record<
      string,
      {
        readonly input?: Reference
        readonly output?: Reference & { readonly resultWrapper?: string }
        readonly errors?: readonly Reference[]
      }
    >
  >
  readonly shapes: Readonly<Record<string, DescribedShape>>
}

const [source, version, target] = process.argv.slice(2)
if (source === undefined || version === undefined || target === undefined) {
  throw new Error('usage: trim-model.ts <service-2.json or .json.gz> <version of botocore> <model.json>')
}
const bytes = readFileSync(source)
// As botocore documents its service descriptions.
const description = JSON.parse((source.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()) as Description
const { apiVersion, endpointPrefix = '', serviceFullName, xmlNamespace, targetPrefix } = description.metadata

const corrected = corrections[endpointPrefix] ?? { enums: {}, errors: {} }

/** What stands for the input of an operation that takes nothing, and for the output of one that answers nothing. */
const nothing = 'Nothing'
const shapes: Record<string, object> = { [nothing]: { members: {}, type: 'structure' } }
const errors: Record<string, object> = {}

function shapeOf(name: string): DescribedShape {
  const shape = description.shapes[name]
  if (shape === undefined) throw new Error(`${source} has no shape '${name}'`)
  return shape
}

function keep({ shape: name }: Reference): string {
  if (Object.hasOwn(shapes, name)) return name
  const { type, members, member, key, value, required, ...traits } = shapeOf(name)
  const { enum: described, pattern, min, max, sensitive } = traits as Readonly<Record<string, unknown>>
  const added = corrected.enums[name] ?? []
  const values = Array.isArray(described) ? [...described, ...added] : described
  shapes[name] = {
    ...{ enum: values, key: bare(key), max, member: bare(member) },
    members: members && Object.fromEntries(Object.entries(members).map(([item, { shape }]) => [item, { shape }])),
    ...{ min, pattern, required: required?.length === 0 ? undefined : required, sensitive, type, value: bare(value) },
  }
  for (const reference of [member, key, value, ...Object.values(members ?? {})]) {
    if (reference !== undefined) keep(reference)
  }
  return name
}

function bare(reference: Reference | undefined): Reference | undefined {
  return reference && { shape: reference.shape }
}

/** The exception by the code that it has in answers; JSON services call it as its shape is called. */
function keepError({ shape: name }: Reference): string {
  const { error, exception } = shapeOf(name)
  if (error === undefined && exception !== true) throw new Error(`${source}: ${name} is no error`)
  const code = error?.code ?? name
  errors[code] = { httpStatus: error?.httpStatusCode ?? 400 }
  return code
}

/** The exceptions that AWS sends although its description does not list them. */
function keepUnlisted(operation: string): string[] {
  const unlisted = Object.entries(corrected.errors[operation] ?? {})
  for (const [code, httpStatus] of unlisted) errors[code] = { httpStatus }
  return unlisted.map(([code]) => code)
}

const operations = Object.fromEntries(
  (servedOperations[endpointPrefix] ?? []).map((name) => {
    const operation = description.operations[name]
    if (operation === undefined) throw new Error(`${source} has no operation '${name}'`)
    const { input, output, errors: listed = [] } = operation
    return [
      name,
      {
        input: input ? keep(input) : nothing,
        output: output ? keep(output) : nothing,
        resultWrapper: output?.resultWrapper,
        errors: [...listed.map(keepError), ...keepUnlisted(name)],
      },
    ]
  }),
)

function lines(entries: Readonly<Record<string, object>>): string {
  const sorted = Object.keys(entries).sort((a, b) => (a < b ? -1 : 1))
  return `{\n${sorted.map((name) => `    ${JSON.stringify(name)}: ${JSON.stringify(entries[name])}`).join(',\n')}\n  }`
}

writeFileSync(
  target,
  `{
  "source": ${JSON.stringify(`botocore ${version}, ${endpointPrefix}/${apiVersion}`)},
  "metadata": ${JSON.stringify({ apiVersion, serviceFullName, signingName: endpointPrefix, xmlNamespace, targetPrefix })},
  "operations": ${lines(operations)},
  "errors": ${lines(errors)},
  "shapes": ${lines(shapes)}
}
`,
)
