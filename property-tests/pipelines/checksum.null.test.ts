import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as Checksum from "../../src/pipelines/checksum.ts"

describe("checksum", () => {
  // of xxhsum, the program of the author of the hash
  it.each([
    ["", "02cc5d05"],
    ["a", "550d7456"],
    ["abc", "32d153ff"],
    ["Nobody inspects the spammish repetition", "e2293b2f"],
  ])("of %j is xxHash32's", (text, expected) => assert.strictEqual(Checksum.ofText(text), expected))

  it("does not depend on the pieces or where they lie", () =>
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 6 }), (pieces) => {
        const whole = new Uint8Array(pieces.reduce((n, p) => n + p.length, 1)).subarray(1)
        let at = 0
        for (const piece of pieces) {
          whole.set(piece, at)
          at += piece.length
        }
        assert.strictEqual(Checksum.of(...pieces), Checksum.of(whole))
      }),
    ))

  it("sees a single bit, anywhere", () =>
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.nat(), fc.nat(7), (bytes, at, bit) => {
        const altered = Uint8Array.from(bytes)
        altered[at % bytes.length]! ^= 1 << bit
        assert.notStrictEqual(Checksum.of(altered), Checksum.of(bytes))
      }),
    ))
})
