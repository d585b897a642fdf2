/** MD5 (RFC 1321), a piece at a time: the checksum that data sets are published with. No defence against forgery. */

const shifts = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]
const sines = Int32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) | 0)

/** one block of 64 bytes, its words little-endian */
const block = (state: Int32Array, words: Int32Array): void => {
  let [a, b, c, d] = [state[0]!, state[1]!, state[2]!, state[3]!]
  for (let i = 0; i < 64; i++) {
    const round = i >> 4
    let f: number
    let g: number
    if (round === 0) {
      f = (b & c) | (~b & d)
      g = i
    } else if (round === 1) {
      f = (d & b) | (~d & c)
      g = (5 * i + 1) & 15
    } else if (round === 2) {
      f = b ^ c ^ d
      g = (3 * i + 5) & 15
    } else {
      f = c ^ (b | ~d)
      g = (7 * i) & 15
    }
    const sum = (a + f + sines[i]! + words[g]!) | 0
    const shift = shifts[4 * round + (i & 3)]!
    a = d
    d = c
    c = b
    b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0
  }
  state[0] = state[0]! + a
  state[1] = state[1]! + b
  state[2] = state[2]! + c
  state[3] = state[3]! + d
}

/** A running checksum: `update` takes the next bytes, `digest` gives it in hexadecimal. */
export const md5 = (): { readonly update: (bytes: Uint8Array) => void; readonly digest: () => string } => {
  const state = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476)
  const buffer = new Uint8Array(64)
  const words = new Int32Array(16)
  let length = 0
  const consume = (from: Uint8Array, at: number): void => {
    for (let i = 0; i < 16; i++, at += 4) {
      words[i] = from[at]! | (from[at + 1]! << 8) | (from[at + 2]! << 16) | (from[at + 3]! << 24)
    }
    block(state, words)
  }
  const update = (bytes: Uint8Array): void => {
    let at = 0
    const held = length % 64
    length += bytes.length
    if (held > 0) {
      at = Math.min(64 - held, bytes.length)
      buffer.set(bytes.subarray(0, at), held)
      if (held + at < 64) return
      consume(buffer, 0)
    }
    for (; at + 64 <= bytes.length; at += 64) consume(bytes, at)
    buffer.set(bytes.subarray(at))
  }
  const digest = (): string => {
    const bits = length * 8
    const rest = new Uint8Array((length % 64 < 56 ? 64 : 128) - (length % 64))
    rest[0] = 0x80
    const view = new DataView(rest.buffer)
    view.setUint32(rest.length - 8, bits >>> 0, true)
    view.setUint32(rest.length - 4, Math.floor(bits / 2 ** 32), true)
    update(rest)
    const bytes = new Uint8Array(Int32Array.from(state).buffer)
    return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("")
  }
  return { update, digest }
}
