/** A checksum against accidents: xxHash32 (Collet, 2012), bytes in any pieces. Not for use against an adversary. */

/** A checksum under way. */
export interface Checksum {
  readonly add: (bytes: Uint8Array) => void
  /** of all bytes added so far: eight hexadecimal digits */
  readonly digest: () => string
}

const [p1, p2, p3, p4, p5] = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1]
const stripe = 16
const { imul } = Math
const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by))
const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/** A checksum of no bytes yet. */
export const make = (): Checksum => {
  let [a, b, c, d] = [(p1 + p2) | 0, p2 | 0, 0, -p1 | 0]
  let length = 0
  /** what does not fill a stripe yet */
  const rest = new Uint8Array(stripe)
  const restView = new DataView(rest.buffer)
  let waiting = 0

  const stripes = (bytes: Uint8Array): void => {
    const aligned = isLittleEndian && bytes.byteOffset % 4 === 0
    const words = aligned ? new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4) : littleEndian(bytes)
    for (let i = 0; i < words.length; i += 4) {
      a = imul(rotate((a + imul(words[i]!, p2)) | 0, 13), p1)
      b = imul(rotate((b + imul(words[i + 1]!, p2)) | 0, 13), p1)
      c = imul(rotate((c + imul(words[i + 2]!, p2)) | 0, 13), p1)
      d = imul(rotate((d + imul(words[i + 3]!, p2)) | 0, 13), p1)
    }
  }

  const add = (bytes: Uint8Array): void => {
    length += bytes.length
    let from = 0
    if (waiting > 0) {
      from = Math.min(stripe - waiting, bytes.length)
      rest.set(bytes.subarray(0, from), waiting)
      waiting += from
      if (waiting < stripe) return
      stripes(rest)
      waiting = 0
    }
    const whole = from + Math.floor((bytes.length - from) / stripe) * stripe
    stripes(bytes.subarray(from, whole))
    rest.set(bytes.subarray(whole))
    waiting = bytes.length - whole
  }

  const digest = (): string => {
    const mixed = (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) | 0
    let h = ((length >= stripe ? mixed : p5) + length) | 0
    let i = 0
    for (; i + 4 <= waiting; i += 4) h = imul(rotate((h + imul(restView.getInt32(i, true), p3)) | 0, 17), p4)
    for (; i < waiting; i++) h = imul(rotate((h + imul(rest[i]!, p5)) | 0, 11), p1)
    h = imul(h ^ (h >>> 15), p2)
    h = imul(h ^ (h >>> 13), p3)
    return ((h ^ (h >>> 16)) >>> 0).toString(16).padStart(8, "0")
  }
  return { add, digest }
}

const littleEndian = (bytes: Uint8Array): Int32Array => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Int32Array.from({ length: bytes.length / 4 }, (_, i) => view.getInt32(4 * i, true))
}

/** the checksum of some pieces, one after the other */
export const of = (...pieces: ReadonlyArray<Uint8Array>): string => {
  const sum = make()
  for (const piece of pieces) sum.add(piece)
  return sum.digest()
}

/** the checksum of a text, as UTF-8 */
export const ofText = (text: string): string => of(new TextEncoder().encode(text))
