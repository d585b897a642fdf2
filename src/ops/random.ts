/**
 * Random numbers without a state: the number of (seed, step, stream, element) is a function of the four, the same in
 * every bit on every device and in JavaScript. It is a Feistel network on two limbs of 11 bits whose round function
 * squares and multiplies modulo primes; no product reaches 2^23, so float32 computes it exactly.
 */
import * as K from "../gpu/Kernel.ts"

/** how many limbs a key has: one for each round */
export const keyLimbs = 4
const limb = 2048
/** a prime whose square stays under 2^23 */
const small = 2039

/** x → (x a mod 2039)² mod p, b times that mod q: the square is what makes a round not linear */
const rounds: ReadonlyArray<readonly [a: number, p: number, b: number, q: number]> = [
  [1259, 4093, 1867, 4073],
  [1933, 4091, 1423, 4057],
  [1697, 4079, 1999, 4051],
  [1321, 4073, 1741, 4049],
]
/** what the part of an element's number above 22 bits adds to each round's key */
const high: ReadonlyArray<number> = [911, 1213, 587, 1789]

const imul = Math.imul
/** a well mixed 32-bit integer from two; only on the host */
const hash = (a: number, b: number): number => {
  let h = (imul(a, 0x9e3779b1) ^ b) >>> 0
  h = imul(h ^ (h >>> 16), 0x85ebca6b)
  h = imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
const low = (n: number): number => n >>> 0
const top = (n: number): number => Math.floor(n / 2 ** 32) >>> 0

/**
 * The key of one step: `keyLimbs` whole numbers below 2048 as floats, an input of the program.
 * Both are natural numbers up to 2^53 - 1.
 */
export const key = (seed: number, step: number): Float32Array => {
  const root = hash(hash(hash(low(seed), top(seed)), low(step)), top(step))
  return Float32Array.from({ length: keyLimbs }, (_, i) => hash(root, i + 1) % limb)
}

/** The stream of a name, such as a parameter's or a layer's path: an integer below 2^32. */
export const stream = (name: string): number => {
  let h = hash(name.length, 0x5eed)
  for (let i = 0; i < name.length; i++) h = hash(h, name.charCodeAt(i))
  return h
}

const streamLimb = (s: number, round: number): number => hash(s, round + 101) % limb

/**
 * A uniform float32 in [0, 1), a multiple of 2^-22. The next 2^22 elements are a permutation of all of them; an element
 * is a natural number up to 2^33.
 */
export const uniform = (k: ArrayLike<number>, s: number): ((element: number) => number) => {
  const keys = rounds.map((_, i) => ((k[i] ?? 0) + streamLimb(s, i)) % limb)
  const [key0 = 0, key1 = 0, key2 = 0, key3 = 0] = keys
  // `rounds` and `high` as literals: a model of tens of millions of parameters draws each number here, and remainders by
  // constants take a fifth of the time
  return (element) => {
    const above = Math.floor(element / 0x400000) & 2047
    let left = element & 2047
    let right = Math.floor(element / 2048) & 2047
    let x = ((right + ((key0 + above * 911) & 2047)) * 1259) % 2039
    left = (left + ((((x * x) % 4093) * 1867) % 4073)) & 2047
    x = ((left + ((key1 + above * 1213) & 2047)) * 1933) % 2039
    right = (right + ((((x * x) % 4091) * 1423) % 4057)) & 2047
    x = ((right + ((key2 + above * 587) & 2047)) * 1697) % 2039
    left = (left + ((((x * x) % 4079) * 1999) % 4051)) & 2047
    x = ((left + ((key3 + above * 1789) & 2047)) * 1321) % 2039
    right = (right + ((((x * x) % 4073) * 1741) % 4049)) & 2047
    return (left * 2048 + right) * 2 ** -22
  }
}

/**
 * The same as an index expression: `k` are the key's limbs, loaded as indices; `element` is the number of the element.
 */
export const uniformValue = (k: ReadonlyArray<K.Index>, s: number, element: K.Index): K.Value => {
  const above = K.imod(K.idiv(element, 2 ** 22), limb)
  let left = K.imod(element, limb)
  let right = K.imod(K.idiv(element, limb), limb)
  for (const [i, [a, p, b, q]] of rounds.entries()) {
    const own = K.imod(K.iadd(k[i] ?? K.int(0), streamLimb(s, i)), limb)
    const roundKey = K.imod(K.iadd(own, K.imul(above, high[i] ?? 0)), limb)
    const x = K.imod(K.imul(K.iadd(right, roundKey), a), small)
    const next = K.imod(K.iadd(left, K.imod(K.imul(K.imod(K.imul(x, x), p), b), q)), limb)
    left = right
    right = next
  }
  return K.mul(K.toFloat(K.iadd(K.imul(left, limb), right)), 2 ** -22)
}
