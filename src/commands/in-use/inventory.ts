import { isObject, type JsonObject } from '#lib/json.ts'
import { isDigest } from '#names/digest.ts'
import { type Mirror, mirroredReferences } from './mirrors.ts'
import { parseReference, type Reference } from './references.ts'

/**
 * Which images run, from what tools that know say: `kubectl get pods -o json`, and other objects that have pod templates; `aws ecs
 * describe-tasks`; or one `repository@digest` a line. Pure.
 *
 * Rather too much than too little: the digest that a runtime tells is reported under each name that its container has, since one that
 * has the same content from two registries names it after either; and digests in specifications are reported too, since those
 * are pulled when it starts again.
 */
export interface Inventory {
  /** Each once. */
  readonly references: readonly Reference[]
  /** Names without a digest that were found, and of which nothing else tells it. Each once. */
  readonly withoutDigest: readonly string[]
  /** Whether somebody wrote a list, where a name without a host means the registry at hand; to a runtime it is Docker Hub's. */
  readonly written: boolean
}

/** A message for whoever piped it in. */
export class InventoryError extends Error {
  override readonly name = 'InventoryError'
}

const expected =
  "expected the JSON of 'kubectl get pods' or 'aws ecs describe-tasks', or lines of <repository>@<digest>"

/** @throws InventoryError */
export function parseInventory(text: string): Inventory {
  const trimmed = text.replace(/^\ufeff/, '').trim()
  if (trimmed === '') throw new InventoryError(`there is no input: ${expected}`)
  const found = new Found()
  const written = !/^[[{]/.test(trimmed)
  if (written) readLines(trimmed, found)
  else readJson(trimmed, found)
  return { ...found.inventory(), written }
}

class Found {
  readonly #references = new Map<string, Reference>()
  readonly #withoutDigest = new Set<string>()

  /** One container: all names of it with all digests of it. */
  container(names: readonly (string | undefined)[], told?: string): void {
    const named = names.flatMap((name) => (name === undefined ? [] : (parseReference(name) ?? [])))
    const digests = new Set(named.flatMap(({ digest }) => digest ?? []))
    if (told !== undefined && isDigest(told)) digests.add(told)
    for (const { host, repository } of named) for (const digest of digests) this.#add({ host, repository, digest })
    const [first] = names.filter((name) => name !== undefined && name !== '')
    if (digests.size === 0 && first !== undefined) this.#withoutDigest.add(first)
  }

  #add(reference: Reference): void {
    this.#references.set(`${reference.host ?? ''}/${reference.repository}@${reference.digest}`, reference)
  }

  inventory(): Omit<Inventory, 'written'> {
    return { references: [...this.#references.values()], withoutDigest: [...this.#withoutDigest] }
  }
}

function readLines(text: string, found: Found): void {
  for (const [index, line] of text.split('\n').entries()) {
    const name = line.trim()
    if (name === '' || name.startsWith('#')) continue
    // What `docker images --digests` says of an image that no registry has.
    if (/@<none>$/.test(name)) found.container([name])
    else if (parseReference(name) === undefined)
      throw new InventoryError(`line ${index + 1} names no image: ${expected}`)
    else found.container([name])
  }
}

/** One document after another, as a tool prints them that is called several times. */
function readJson(text: string, found: Found): void {
  for (const one of documentsIn(text)) {
    let document: unknown
    try {
      document = JSON.parse(one)
    } catch (error) {
      throw new InventoryError(`the input is not valid JSON (${(error as SyntaxError).message})`)
    }
    if (!readDocument(document, found, 0))
      throw new InventoryError(`the input names nothing that runs images: ${expected}`)
  }
}

/** The texts of objects and lists that follow one another; what is none is a text by itself too. */
function documentsIn(text: string): readonly string[] {
  const documents: string[] = []
  let [start, depth] = [0, 0]
  // Strings whole, since they may hold brackets; one that does not end is skipped, and refused by whoever parses it.
  for (const { 0: token, index } of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[[{\]}]/gs)) {
    if (token === '[' || token === '{') depth++
    else if (token === ']' || token === '}') depth--
    if (depth > 0 || token.startsWith('"')) continue
    documents.push(text.slice(start, index + 1))
    start = index + 1
    depth = 0
  }
  const rest = text.slice(start)
  return rest.trim() === '' ? documents : [...documents, rest]
}

/** Lists of lists of objects: what people put together is no deeper. */
const deepest = 8

/** False for what is of no kind that is known here. */
function readDocument(document: unknown, found: Found, depth: number): boolean {
  if (depth > deepest) return false
  if (Array.isArray(document)) return document.every((each) => readDocument(each, found, depth + 1))
  if (!isObject(document)) return false
  if (Array.isArray(document.items)) return document.items.every((each) => readDocument(each, found, depth + 1))
  requireAllDescribed(document.failures)
  if (Array.isArray(document.tasks)) return document.tasks.every((task) => readTask(task, found))
  if (Array.isArray(document.containers)) return readTask(document, found)
  const specs = podSpecsOf(document)
  for (const spec of specs) readPod(spec, document.status, found)
  // Beside what runs images there may be services and the like.
  return specs.length > 0 || typeof document.kind === 'string'
}

/** Of a pod, or of whatever has a template of pods: deployments and the like, jobs, and cron jobs. */
function podSpecsOf(object: JsonObject): readonly JsonObject[] {
  return [
    ['spec'],
    ['spec', 'template', 'spec'],
    ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
    ['template', 'spec'],
  ]
    .map((path) => path.reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), object))
    .filter((spec) => isObject(spec))
    .filter((spec) => Array.isArray(spec.containers))
}

const kinds = [
  ['containers', 'containerStatuses'],
  ['initContainers', 'initContainerStatuses'],
  ['ephemeralContainers', 'ephemeralContainerStatuses'],
] as const

function readPod(spec: JsonObject, status: unknown, found: Found): void {
  for (const [ofSpec, ofStatus] of kinds) {
    const statuses = isObject(status) ? objectsIn(status[ofStatus]) : []
    const containers = objectsIn(spec[ofSpec])
    for (const { name, image } of containers) {
      const known = statuses.find((each) => each.name === name)
      found.container([textOf(image), textOf(known?.image), textOf(known?.imageID)])
    }
    // One that the specification does not have is still there.
    const names = new Set(containers.map(({ name }) => name))
    for (const each of statuses) {
      if (!names.has(each.name)) found.container([textOf(each.image), textOf(each.imageID)])
    }
  }
}

/**
 * ECS names beside the tasks those that it could not describe. What they run is not known, and a report without it would end its
 * protection.
 */
function requireAllDescribed(failures: unknown): void {
  const failed = objectsIn(failures).map(
    ({ arn, reason }) => `${textOf(arn) ?? 'one'} (${textOf(reason) ?? 'unknown'})`,
  )
  if (failed.length === 0) return
  const more = failed.length > 3 ? ` and ${failed.length - 3} more` : ''
  throw new InventoryError(
    `some tasks were not described, so that what they run is not known: ${failed.slice(0, 3).join(', ')}${more}`,
  )
}

function readTask(task: unknown, found: Found): boolean {
  if (!isObject(task)) return false
  for (const { image, imageDigest } of objectsIn(task.containers)) found.container([textOf(image)], textOf(imageDigest))
  return true
}

function objectsIn(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((each) => isObject(each)) : []
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** Those of an inventory that are of one registry, and of how many other images it tells. */
export interface OfRegistry {
  readonly own: readonly Reference[]
  readonly others: number
}

/** How names show that an image is of this registry. */
export interface RegistryNames {
  readonly hosts: readonly string[]
  readonly region: string
  readonly mirrors: readonly Mirror[]
}

/**
 * Of the registry are names at one of these hosts, names at an address as ECR's registries have it, in this region, and names of an
 * upstream that clusters pull through a mirror here.
 */
export function ofRegistry({ references, written }: Inventory, { hosts, region, mirrors }: RegistryNames): OfRegistry {
  const known = new Set(hosts.map((host) => host.toLowerCase()))
  const isOwn = ({ host }: Reference) => {
    if (host === undefined) return written
    return known.has(host) || (/^\d{12}\.dkr\.ecr\./.test(host) && host.slice(21).startsWith(`${region}.`))
  }
  const own = references.flatMap((reference) =>
    isOwn(reference) ? [reference] : mirroredReferences(reference, mirrors),
  )
  const digests = new Set(own.map(({ digest }) => digest))
  const others = new Set(references.flatMap(({ digest }) => (digests.has(digest) ? [] : [digest])))
  return { own, others: others.size }
}
