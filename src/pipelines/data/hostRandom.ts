/**
 * Random numbers on the host, counter-based: a number is a function of its key and its position, so that no order of
 * asking and no worker changes it. (Random numbers inside a program come from ops, not from here.)
 */

/** the murmur3 finaliser: each input bit flips each output bit with probability one half */
const mix = (h: number): number => {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** A key from numbers: whole ones up to 2⁵³ in size; any change of any of them gives another. */
export const key = (...parts: ReadonlyArray<number>): number =>
  parts.reduce((h, part) => {
    const low = part >>> 0
    const high = Math.floor(part / 2 ** 32) >>> 0
    return mix(Math.imul(mix(h ^ low) + 0x9e3779b1, 0x27d4eb2f) ^ high)
  }, 0x6a09e667)

/** The 32 random bits at `position` of the sequence that `key` names. */
export const bits = (key: number, position: number): number =>
  mix(mix(Math.imul(position, 0x9e3779b1) ^ key) + Math.imul(key, 0x165667b1))

/** A number in [0, 1) at `position` of the sequence that `key` names. */
export const uniform = (key: number, position: number): number => bits(key, position) / 2 ** 32

/** The numbers 0 … n − 1 in random order (Fisher–Yates). */
export const permutation = (key: number, n: number): Uint32Array => {
  const order = Uint32Array.from({ length: n }, (_, i) => i)
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(uniform(key, i) * (i + 1))
    const held = order[i]!
    order[i] = order[j]!
    order[j] = held
  }
  return order
}
