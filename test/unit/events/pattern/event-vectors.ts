/** `aws`, `guide` and `ruler` name sources, as in `field-vectors.ts`. */

/** A whole pattern, and events that it fits or not. */
export interface EventVector {
  readonly source: string
  readonly pattern: unknown
  readonly fits: readonly unknown[]
  readonly fitsNot: readonly unknown[]
}

const anna = [
  { first: 'John', last: 'Doe' },
  { first: 'Anna', last: 'Smith' },
]

export const eventVectors: readonly EventVector[] = [
  {
    source: 'guide and',
    pattern: { source: ['aws.ecr'], detail: { result: ['SUCCESS'] } },
    fits: [{ source: 'aws.ecr', detail: { result: 'SUCCESS', more: 1 }, more: {} }],
    fitsNot: [
      { source: 'aws.ecr' },
      { source: 'aws.ecr', detail: { result: 'FAILURE' } },
      { detail: { result: 'SUCCESS' } },
    ],
  },
  {
    source: 'aws nested_json: a text is not read',
    pattern: { detail: { key: ['value'] } },
    fits: [{ detail: { key: 'value' } }],
    fitsNot: [{ detail: '{"key":"value"}' }],
  },
  {
    source: 'aws dot_joining_event',
    pattern: { detail: { state: { status: ['running'] } } },
    fits: [{ detail: { 'state.status': 'running' } }, { 'detail.state': { status: 'running' } }],
    fitsNot: [{ detail: { 'state.status': { status: 'running' } } }],
  },
  {
    source: 'aws dot_joining_pattern',
    pattern: { detail: { 'state.status': ['running'] } },
    fits: [{ detail: { state: { status: 'running' } } }],
    fitsNot: [{ detail: { state: { state: { status: 'running' } } } }],
  },
  {
    source: 'aws list_within_dict',
    pattern: { detail: { automations: { id: [{ exists: true }] } } },
    fits: [{ detail: { automations: [{ key1: 'a' }, { id: 'b' }] } }],
    fitsNot: [{ detail: { automations: [{ key1: 'a' }] } }],
  },
  {
    source: 'aws or-exists-parent',
    pattern: { image: { home: { s: [{ 'anything-but': ['roses'] }, { exists: false }] } } },
    fits: [{ image: { other: { n: '789' } } }, {}],
    fitsNot: [{ image: { home: { s: 'roses' } } }],
  },
  {
    source: 'aws complex_or',
    pattern: {
      detail: {
        $or: [
          { c: [{ numeric: ['>', 0, '<=', 5] }] },
          { d: [{ numeric: ['<', 10] }] },
          { x: [{ numeric: ['=', 3.018e2] }] },
        ],
      },
    },
    fits: [{ detail: { c: 0, d: 0, x: 901.8 } }],
    fitsNot: [{ detail: { c: 0, d: 10, x: 901.8 } }],
  },
  {
    source: 'ruler $or within $or',
    pattern: { source: ['m'], $or: [{ a: ['1'] }, { b: ['1'], $or: [{ c: ['1'] }, { d: ['1'] }] }] },
    fits: [
      { source: 'm', a: '1' },
      { source: 'm', b: '1', d: '1' },
    ],
    fitsNot: [{ a: '1' }, { source: 'm', b: '1' }, { source: 'm', d: '1' }],
  },
  {
    source: 'ruler array consistency',
    pattern: { people: { first: ['Anna'], last: ['Smith'] } },
    fits: [{ people: anna }, { people: [anna] }, { people: anna[1] }],
    fitsNot: [{ people: [{ first: 'Anna' }, { last: 'Smith' }] }],
  },
  {
    source: 'ruler array consistency',
    pattern: { people: { first: ['Anna'], last: ['Doe'] } },
    fits: [],
    fitsNot: [{ people: anna }, { people: [anna] }],
  },
  {
    source: 'ruler array consistency: two lists are apart',
    pattern: { a: { x: [1], y: [2] }, b: { x: [1] } },
    fits: [
      {
        a: [
          { x: 1, y: 3 },
          { x: 1, y: 2 },
        ],
        b: [{ x: 2 }, { x: 1 }],
      },
    ],
    fitsNot: [{ a: [{ x: 1 }, { y: 2 }], b: [{ x: 1 }] }],
  },
  {
    source: 'ruler array consistency: absent from the same entry',
    pattern: { a: { x: [1], y: [{ exists: false }] } },
    fits: [{ a: [{ x: 1 }, { x: 2, y: 3 }] }],
    fitsNot: [{ a: [{ x: 1, y: 3 }, { x: 2 }] }],
  },
  {
    source: 'ruler: absent from each entry if no entry is chosen',
    pattern: { a: { y: [{ exists: false }] } },
    fits: [{ a: [{ x: 1 }, {}] }, { a: [] }],
    fitsNot: [{ a: [{ x: 1 }, { y: 1 }] }],
  },
]
