/** With nothing that JSON sees. */
class Secret {
  readonly #secret = 1
  tell() {
    return this.#secret
  }
}

/** Results that are refused, each with the reason that is given. */
export function unstorable(): readonly (readonly [what: string, value: unknown, reason: string])[] {
  const circle: { name: string; self?: unknown } = { name: 'x' }
  circle.self = circle
  const deep = Array.from({ length: 100_000 }).reduce<unknown>((inner) => [inner], 0)
  return [
    ['a BigInt', 1n, 'is a BigInt'],
    ['a BigInt inside', { order: [{ cents: 1n }] }, 'holds a BigInt at "cents"'],
    ['a cycle', [circle], 'refers to itself (a cycle)'],
    ['a function', () => 1, 'is a function'],
    ['a function inside', { done: () => 1 }, 'holds a function at "done"'],
    ['a symbol', Symbol('x'), 'is a symbol'],
    ['a symbol inside a list', [Symbol('x')], 'holds a symbol at "0"'],
    ['a number without digits', { share: NaN }, 'holds NaN at "share"'],
    ['an endless number', [-Infinity], 'holds -Infinity at "0"'],
    ['a Map', { all: new Map([[1, 2]]) }, 'holds a Map at "all"'],
    ['a Set', new Set([1]), 'is a Set'],
    ['a Promise', { paid: Promise.resolve(1) }, 'holds a Promise that nobody waited for at "paid"'],
    ['an Error', new Error('boom'), 'is an Error'],
    ['an Error with fields', [Object.assign(new TypeError('boom'), { code: 'BOOM' })], 'holds an Error at "0"'],
    ['an invalid Date', new Date(NaN), 'is an invalid Date'],
    ['an invalid Date inside', { at: [new Date(NaN)] }, 'holds an invalid Date at "0"'],
    ['a list of bytes', { bytes: new Uint8Array([1, 2]) }, 'holds binary data at "bytes"'],
    ['a view of bytes', new DataView(new ArrayBuffer(2)), 'is binary data'],
    ['a Number object', Object(NaN), 'is a Number object'],
    ['a String object', { name: Object('x') }, 'holds a String object at "name"'],
    ['a Boolean object', [Object(false)], 'holds a Boolean object at "0"'],
    ['a BigInt object', Object(1n), 'is a BigInt object'],
    ...[/x/, new ArrayBuffer(2), new WeakMap(), new WeakSet(), new Secret(), [1].values(), new Headers({ a: 'b' })].map(
      (one) => [`an empty ${one.constructor.name}`, { one }, 'holds an object whose content JSON would lose'] as const,
    ),
    ['an object that inherits all', Object.create({ a: 1 }), 'is an object whose content JSON would lose'],
    ['a value nested too deeply', deep, 'is nested too deeply or too large'],
    [
      'an object that fails to say what it is',
      {
        toJSON: () => {
          throw new Error('secret')
        },
      },
      'failed to turn itself into JSON',
    ],
  ]
}
