/**
 * What Amazon EventBridge answers. `aws` names a case of LocalStack's tests, each of which is checked against EventBridge's
 * `TestEventPattern`. `guide` names a section of EventBridge's user guide, "Comparison operators for use in event patterns".
 * `ruler` names a part of aws/event-ruler, the matcher that EventBridge runs.
 */

/** A pattern for one field, values of that field, and whether each fits. `undefined` is an event without the field. */
export interface FieldVector {
  readonly source: string
  readonly pattern: readonly unknown[]
  readonly fits: readonly unknown[]
  readonly fitsNot: readonly unknown[]
}

export const fieldVectors: readonly FieldVector[] = [
  {
    source: 'aws string, key_case_sensitive',
    pattern: ['a B 🚀 '],
    fits: ['a B 🚀 '],
    fitsNot: ['a b 🚀 ', 'a B 🚀', undefined],
  },
  { source: 'aws string_empty', pattern: [''], fits: [''], fitsNot: ['x', null, undefined] },
  { source: 'aws boolean', pattern: [false], fits: [false], fitsNot: [true, 'false', 0, null] },
  { source: 'aws null_value', pattern: [null], fits: [null], fitsNot: ['null', '', undefined, []] },
  { source: 'aws number_comparison_float', pattern: [300], fits: [300.0, 3e2], fitsNot: ['300', 301] },
  { source: 'ruler JSON text matching', pattern: ['true', '5'], fits: ['true', '5'], fitsNot: [true, 5] },
  { source: 'aws arrays', pattern: ['a', 'b'], fits: ['b', ['c', 'a'], [['b']]], fitsNot: [['c'], [], { a: 'a' }] },
  {
    source: 'ruler CIDR.ipToRangeIfPossible',
    pattern: ['::1'],
    fits: ['::1', '0:0:0:0:0:0:0:1'],
    fitsNot: ['::2', '1'],
  },

  {
    source: 'guide prefix',
    pattern: [{ prefix: '2017-10-02' }],
    fits: ['2017-10-02T18:43:48Z'],
    fitsNot: ['x2017-10-02', 20171002],
  },
  { source: 'aws content_prefix_empty', pattern: [{ prefix: '' }], fits: ['x', ''], fitsNot: [1, null, undefined] },
  {
    source: 'aws content_prefix_ignorecase',
    pattern: [{ prefix: { 'equals-ignore-case': 'EventB' } }],
    fits: ['EvEnTb', 'eventbridge'],
    fitsNot: ['xeventb', 'event'],
  },
  {
    source: 'aws content_suffix',
    pattern: [{ suffix: '.png' }],
    fits: ['image.png', '.png'],
    fitsNot: ['image.PNG', 'png', 5],
  },
  { source: 'aws content_suffix_empty', pattern: [{ suffix: '' }], fits: ['order'], fitsNot: [true] },
  {
    source: 'aws content_suffix_ignorecase',
    pattern: [{ suffix: { 'equals-ignore-case': '.png' } }],
    fits: ['image.PNG'],
    fitsNot: ['image.jpg'],
  },
  {
    source: 'aws content_ignorecase',
    pattern: [{ 'equals-ignore-case': 'ec2 state' }],
    fits: ['EC2 State', ['EC2 STATE']],
    fitsNot: ['EC2 State ', 1],
  },
  { source: 'aws content_ignorecase_empty', pattern: [{ 'equals-ignore-case': '' }], fits: [''], fitsNot: ['x'] },
  { source: 'ruler processMatchExpression', pattern: [{ exactly: 'x' }], fits: ['x'], fitsNot: ['X', 1] },

  {
    source: 'aws content_anything_but_string, _null, _missing',
    pattern: [{ 'anything-but': 'initializing' }],
    fits: ['pending', null, 5, true, ['initializing', 'x']],
    fitsNot: ['initializing', undefined, ['initializing'], []],
  },
  {
    source: 'aws content_anything_but_string_list',
    pattern: [{ 'anything-but': ['stopped', 'overloaded'] }],
    fits: ['pending', 'Stopped'],
    fitsNot: ['stopped', 'overloaded'],
  },
  {
    source: 'aws content_anything_but_number',
    pattern: [{ 'anything-but': 123 }],
    fits: [789, '123'],
    fitsNot: [123, 1.23e2],
  },
  { source: 'aws content_anything_but_number_zero', pattern: [{ 'anything-but': 0 }], fits: [789, null], fitsNot: [0] },
  {
    source: 'aws content_anything_but_number_list',
    pattern: [{ 'anything-but': [100, 200] }],
    fits: [999, 'x'],
    fitsNot: [100, 200],
  },
  {
    source: 'aws content_anything_prefix, _int_value, _null',
    pattern: [{ 'anything-but': { prefix: 'init' } }],
    fits: ['post-init', 12, null],
    fitsNot: ['init-x', undefined],
  },
  {
    source: 'aws content_anything_prefix_list',
    pattern: [{ 'anything-but': { prefix: ['init', 'post'] } }],
    fits: ['x'],
    fitsNot: ['post-init', 'init'],
  },
  {
    source: 'aws content_anything_suffix',
    pattern: [{ 'anything-but': { suffix: '.txt' } }],
    fits: ['file.txt.bak', null],
    fitsNot: ['file.txt', undefined],
  },
  {
    source: 'aws content_anything_suffix_list',
    pattern: [{ 'anything-but': { suffix: ['.txt', '.jpg'] } }],
    fits: ['file.bak'],
    fitsNot: ['file.jpg', 'a.txt'],
  },
  {
    source: 'aws content_anything_but_ignorecase',
    pattern: [{ 'anything-but': { 'equals-ignore-case': 'initializing' } }],
    fits: ['pending', null],
    fitsNot: ['INITIALIZING', undefined],
  },
  {
    source: 'aws content_anything_but_ignorecase_list',
    pattern: [{ 'anything-but': { 'equals-ignore-case': ['initializing', 'stopped'] } }],
    fits: ['pending'],
    fitsNot: ['Stopped'],
  },
  {
    source: 'aws content_anything_wildcard, _int',
    pattern: [{ 'anything-but': { wildcard: '*/init/*' } }],
    fits: ['dir/x/file', 123],
    fitsNot: ['dir/init/file', undefined],
  },
  {
    source: 'aws content_anything_wildcard_empty',
    pattern: [{ 'anything-but': { wildcard: '' } }],
    fits: ['x'],
    fitsNot: [''],
  },
  {
    source: 'aws content_anything_wildcard_list',
    pattern: [{ 'anything-but': { wildcard: ['*/init/*', '*/dir/*'] } }],
    fits: ['dir/post/dir'],
    fitsNot: ['dir/init/dir', 'a/dir/b'],
  },

  {
    source: 'aws content_numeric_and',
    pattern: [{ numeric: ['>', 0, '<=', 5] }],
    fits: [3, 5, 0.000001],
    fitsNot: [0, 5.000001, 42],
  },
  {
    source: 'aws numeric-int-float, -null, -string',
    pattern: [{ numeric: ['>', 100] }],
    fits: [101.0, [1, 101]],
    fitsNot: [100, null, '300', undefined],
  },
  { source: 'guide numeric', pattern: [{ numeric: ['=', 3.018e2] }], fits: [301.8], fitsNot: [301.80001, '301.8'] },
  { source: 'guide numeric', pattern: [{ numeric: ['<', 10] }], fits: [9.999999, -1e3], fitsNot: [10] },
  {
    source: 'guide numeric',
    pattern: [{ numeric: ['>=', -5.0e9, '<', 5.0e9] }],
    fits: [-5e9, 0],
    fitsNot: [5e9, -5000000001],
  },
  {
    source: 'ruler ComparableNumber: any double of an event',
    pattern: [{ numeric: ['>', 1e9] }],
    fits: [6e9, 1e300],
    fitsNot: [-1e300],
  },

  {
    source: 'aws content_ip_address, _bad_type',
    pattern: [{ cidr: '10.0.0.0/24' }],
    fits: ['10.0.0.255', '10.0.0.0'],
    fitsNot: ['10.0.0.256', '10.0.1.0', 123, 'x', '', undefined],
  },
  {
    source: 'ruler CIDR: the bits after the mask do not count',
    pattern: [{ cidr: '10.0.0.7/31' }],
    fits: ['10.0.0.6', '10.0.0.7'],
    fitsNot: ['10.0.0.8'],
  },
  {
    source: 'aws content_ip_address_v6',
    pattern: [{ cidr: '2001:db8:1234:1a00::/64' }],
    fits: ['2001:0db8:1234:1a00:0000:0000:0000:0000', '2001:db8:1234:1a00::1'],
    fitsNot: ['2001:0db8:123f:1a01::', '10.0.0.1'],
  },

  {
    source: 'aws content_exists, exists_list_empty, exists_dynamodb',
    pattern: [{ exists: true }],
    fits: ['x', '', null, 0, ['x'], [null]],
    fitsNot: [undefined, [], {}, { S: 'x' }],
  },
  {
    source: 'aws content_exists_false, ruler exists',
    pattern: [{ exists: false }],
    fits: [undefined, [], {}, { c1: 100 }],
    fitsNot: ['x', null, [null]],
  },
  {
    source: 'aws or-anything-but, or-exists',
    pattern: [{ 'anything-but': ['roses'] }, { exists: false }],
    fits: ['ABCD', undefined],
    fitsNot: ['roses'],
  },
  {
    source: 'aws operator_multiple_list',
    pattern: [{ exists: true }, { prefix: 'no' }],
    fits: ['my-value'],
    fitsNot: [undefined],
  },

  {
    source: 'aws content_wildcard_simplified',
    pattern: [{ wildcard: 'arn:aws:events:us-east-1:*:event-bus/*' }],
    fits: ['arn:aws:events:us-east-1:123456789012:event-bus/mine'],
    fitsNot: ['arn:aws:events:us-east-2:123456789012:event-bus/mine', 5],
  },
  {
    source: 'aws content_wildcard_repeating',
    pattern: [{ wildcard: '/Users/*/dir/dir/doc.txt' }],
    fits: ['/Users/u/dir/dir/dir/dir/doc.txt'],
    fitsNot: ['/Users/u/dir/other/doc.txt'],
  },
  { source: 'aws content_wildcard_empty', pattern: [{ wildcard: '' }], fits: [''], fitsNot: ['x'] },
  { source: 'guide wildcard', pattern: [{ wildcard: '*' }], fits: ['', 'x\n'], fitsNot: [null, 1] },
  {
    source: 'guide wildcard: \\* is a star, \\\\ is a backslash',
    pattern: [{ wildcard: '\\**\\\\' }],
    fits: ['*\\', '*x\\'],
    fitsNot: ['x\\', '**', '*x'],
  },
  {
    source: 'guide wildcard: ? is no wildcard',
    pattern: [{ wildcard: 'a?*' }],
    fits: ['a?', 'a?b'],
    fitsNot: ['ab', 'abc'],
  },
]
