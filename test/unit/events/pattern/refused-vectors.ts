/** `aws`, `guide` and `ruler` name sources, as in `field-vectors.ts`. */

/** A pattern that EventBridge refuses, and our problem and path for it. */
export interface RefusedVector {
  readonly source: string
  readonly pattern: unknown
  readonly problem: string
  readonly path: string
}

const inState = (entry: unknown) => ({ detail: { state: [entry] } })
const state = 'detail.state[0]'

export const refusedVectors: readonly RefusedVector[] = [
  { source: 'aws filter is a list', pattern: ['not', 'a', 'dict'], problem: 'type', path: '' },
  { source: 'ruler: empty objects', pattern: {}, problem: 'object empty', path: '' },
  { source: 'ruler: empty objects', pattern: { detail: {} }, problem: 'object empty', path: 'detail' },
  { source: 'aws arrays_empty', pattern: { resources: [] }, problem: 'list empty', path: 'resources' },
  { source: 'aws int_nolist', pattern: { int: 42 }, problem: 'type', path: 'int' },
  { source: 'aws string_nolist', pattern: { detail: { string: 'x' } }, problem: 'type', path: 'detail.string' },
  { source: 'ruler writeRules: a list in a list', pattern: { a: [['x']] }, problem: 'type', path: 'a[0]' },
  {
    source: 'aws operator_case_sensitive',
    pattern: { key: [{ EXISTS: true }] },
    problem: 'operator unknown',
    path: 'key[0]',
  },
  {
    source: 'aws content_numeric_operatorcasing',
    pattern: inState({ NUMERIC: ['=', 5] }),
    problem: 'operator unknown',
    path: state,
  },
  {
    source: 'ruler: a name of Object.prototype',
    pattern: inState({ constructor: 'x' }),
    problem: 'operator unknown',
    path: state,
  },
  {
    source: 'ruler: one key in a match expression',
    pattern: inState({ prefix: 'a', suffix: 'b' }),
    problem: 'operators',
    path: state,
  },
  { source: 'ruler: no key in a match expression', pattern: inState({}), problem: 'operators', path: state },
  { source: 'ruler exists', pattern: inState({ exists: 'true' }), problem: 'type', path: `${state}.exists` },
  { source: 'ruler exactly', pattern: inState({ exactly: 1 }), problem: 'type', path: `${state}.exactly` },
  { source: 'aws content_prefix_int', pattern: inState({ prefix: 123 }), problem: 'type', path: `${state}.prefix` },
  { source: 'aws content_prefix_list', pattern: inState({ prefix: ['x'] }), problem: 'type', path: `${state}.prefix` },
  { source: 'aws content_suffix_int', pattern: inState({ suffix: 123 }), problem: 'type', path: `${state}.suffix` },
  { source: 'aws content_suffix_list', pattern: inState({ suffix: ['x'] }), problem: 'type', path: `${state}.suffix` },
  {
    source: 'ruler: unsupported prefix pattern',
    pattern: inState({ prefix: { wildcard: 'x' } }),
    problem: 'operator unknown',
    path: `${state}.prefix`,
  },
  {
    source: 'aws content_ignorecase',
    pattern: inState({ 'equals-ignore-case': ['x'] }),
    problem: 'type',
    path: `${state}.equals-ignore-case`,
  },
  {
    source: 'aws content_ignorecase_list',
    pattern: inState({ 'equals-ignore-case': { prefix: 'x' } }),
    problem: 'type',
    path: `${state}.equals-ignore-case`,
  },
  {
    source: 'aws content_anything_but_string_null_type',
    pattern: inState({ 'anything-but': null }),
    problem: 'type',
    path: `${state}.anything-but`,
  },
  {
    source: 'aws content_anything_but_string_list_null_type',
    pattern: inState({ 'anything-but': ['x', null] }),
    problem: 'type',
    path: `${state}.anything-but[1]`,
  },
  {
    source: 'ruler: anything-but list of mixed types',
    pattern: inState({ 'anything-but': ['x', 1] }),
    problem: 'list mixed',
    path: `${state}.anything-but`,
  },
  {
    source: 'ruler: anything-but empty list',
    pattern: inState({ 'anything-but': [] }),
    problem: 'list empty',
    path: `${state}.anything-but`,
  },
  {
    source: 'ruler: unsupported anything-but',
    pattern: inState({ 'anything-but': { numeric: ['=', 1] } }),
    problem: 'operator unknown',
    path: `${state}.anything-but`,
  },
  {
    source: 'aws content_anything_prefix_empty',
    pattern: inState({ 'anything-but': { prefix: '' } }),
    problem: 'text empty',
    path: `${state}.anything-but.prefix`,
  },
  {
    source: 'aws content_anything_suffix_empty',
    pattern: inState({ 'anything-but': { suffix: ['a', ''] } }),
    problem: 'text empty',
    path: `${state}.anything-but.suffix[1]`,
  },
  {
    source: 'aws content_anything_prefix_ignorecase',
    pattern: inState({ 'anything-but': { prefix: { 'equals-ignore-case': 'x' } } }),
    problem: 'type',
    path: `${state}.anything-but.prefix`,
  },
  {
    source: 'aws content_anything_prefix_int',
    pattern: inState({ 'anything-but': { prefix: 123 } }),
    problem: 'type',
    path: `${state}.anything-but.prefix`,
  },
  {
    source: 'aws content_anything_suffix_list_type',
    pattern: inState({ 'anything-but': { suffix: [123, '.txt'] } }),
    problem: 'type',
    path: `${state}.anything-but.suffix[0]`,
  },
  {
    source: 'aws content_anything_but_ignorecase_list',
    pattern: inState({ 'anything-but': { 'equals-ignore-case': [1] } }),
    problem: 'type',
    path: `${state}.anything-but.equals-ignore-case[0]`,
  },
  {
    source: 'aws content_anything_wildcard_type',
    pattern: inState({ 'anything-but': { wildcard: 123 } }),
    problem: 'type',
    path: `${state}.anything-but.wildcard`,
  },
  {
    source: 'aws content_numeric',
    pattern: inState({ numeric: ['>', 0, '>', 0] }),
    problem: 'range order',
    path: `${state}.numeric`,
  },
  {
    source: 'aws content_numeric_number',
    pattern: inState({ numeric: 10 }),
    problem: 'type',
    path: `${state}.numeric`,
  },
  {
    source: 'aws content_numeric_syntax',
    pattern: inState({ numeric: ['>', 0, '<'] }),
    problem: 'comparisons',
    path: `${state}.numeric`,
  },
  {
    source: 'ruler: too many elements',
    pattern: inState({ numeric: ['=', 0, '<', 1] }),
    problem: 'range order',
    path: `${state}.numeric`,
  },
  {
    source: 'ruler: bottom must be less than top',
    pattern: inState({ numeric: ['>=', 1, '<=', 1] }),
    problem: 'range empty',
    path: `${state}.numeric`,
  },
  {
    source: 'ruler: numeric operator',
    pattern: inState({ numeric: ['!=', 1] }),
    problem: 'comparison unknown',
    path: `${state}.numeric[0]`,
  },
  {
    source: 'ruler: value must be numeric',
    pattern: inState({ numeric: ['=', '1'] }),
    problem: 'type',
    path: `${state}.numeric[1]`,
  },
  {
    source: 'guide numeric: limits',
    pattern: inState({ numeric: ['<', 5000000001] }),
    problem: 'number out of range',
    path: `${state}.numeric[1]`,
  },
  {
    source: 'guide numeric: limits',
    pattern: inState({ numeric: ['>', -5e9, '<', 1e10] }),
    problem: 'number out of range',
    path: `${state}.numeric[3]`,
  },
  {
    source: 'aws content_ip_address',
    pattern: inState({ cidr: 'bad-filter' }),
    problem: 'network',
    path: `${state}.cidr`,
  },
  {
    source: 'aws content_ip_address_bad_ip',
    pattern: inState({ cidr: 'xx.11.xx/8' }),
    problem: 'network',
    path: `${state}.cidr`,
  },
  {
    source: 'aws content_ip_address_bad_mask',
    pattern: inState({ cidr: '10.0.0.0/64filter' }),
    problem: 'network',
    path: `${state}.cidr`,
  },
  {
    source: 'aws content_ip_address_type',
    pattern: inState({ cidr: ['10.0.0.0/8'] }),
    problem: 'type',
    path: `${state}.cidr`,
  },
  {
    source: 'aws content_ip_address_v6_bad_ip',
    pattern: inState({ cidr: 'xxxx:db8::/64' }),
    problem: 'network',
    path: `${state}.cidr`,
  },
  {
    source: 'ruler: IPv4 mask bits',
    pattern: inState({ cidr: '10.0.0.0/32' }),
    problem: 'network bits',
    path: `${state}.cidr`,
  },
  {
    source: 'ruler: IPv6 mask bits',
    pattern: inState({ cidr: '::/128' }),
    problem: 'network bits',
    path: `${state}.cidr`,
  },
  {
    source: 'aws content_wildcard_int',
    pattern: inState({ wildcard: 123 }),
    problem: 'type',
    path: `${state}.wildcard`,
  },
  {
    source: 'aws content_wildcard_repeating_star',
    pattern: inState({ wildcard: 'a**b' }),
    problem: 'wildcards in a row',
    path: `${state}.wildcard`,
  },
  { source: 'ruler: escapes', pattern: inState({ wildcard: 'a\\b' }), problem: 'escape', path: `${state}.wildcard` },
  {
    source: 'ruler: escapes',
    pattern: inState({ 'anything-but': { wildcard: ['a', 'a\\'] } }),
    problem: 'escape',
    path: `${state}.anything-but.wildcard[1]`,
  },
  { source: 'ruler $or: a list', pattern: { $or: { a: [1] } }, problem: 'type', path: '$or' },
  {
    source: 'ruler $or: two objects',
    pattern: { detail: { $or: [{ a: [1] }] } },
    problem: 'alternatives',
    path: 'detail.$or',
  },
  { source: 'ruler $or: objects alone', pattern: { $or: [{ a: [1] }, 'x'] }, problem: 'type', path: '$or[1]' },
  { source: 'ruler $or: empty objects', pattern: { $or: [{ a: [1] }, {}] }, problem: 'object empty', path: '$or[1]' },
  {
    source: 'ruler $or: reserved names',
    pattern: { $or: [{ a: [1] }, { prefix: ['x'] }] },
    problem: 'name reserved',
    path: '$or[1].prefix',
  },
  {
    source: 'ruler $or: reserved names, deeper',
    pattern: { $or: [{ a: [1] }, { b: { numeric: [1] } }] },
    problem: 'name reserved',
    path: '$or[1].b.numeric',
  },
  {
    source: 'ruler JsonRuleCompiler without overriding',
    pattern: { a: [1], $or: [{ a: [2] }, { b: [2] }] },
    problem: 'field repeated',
    path: '',
  },
  {
    source: 'ruler JsonRuleCompiler without overriding',
    pattern: { 'a.b': [1], a: { b: [2] } },
    problem: 'field repeated',
    path: '',
  },
]
