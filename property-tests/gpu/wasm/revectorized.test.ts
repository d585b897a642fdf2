/** The same laws on optimised code with vectors fused to 256 bits, where the engine can: the others see mostly the baseline compiler. */
import * as fc from "fast-check"
import * as v8 from "node:v8"
import { describe, expect, it } from "vitest"
import { enableRevectorization } from "../../../src/gpu/wasm/revectorize.ts"
import { contraction, convolutions, faults, matMuls } from "./contractionReference.ts"

enableRevectorization()
v8.setFlagsFromString("--no-liftoff")

const runs = { seed: 21, numRuns: 40 }

describe("contractions with fused vectors", () => {
  it("matrix products", () => {
    fc.assert(
      fc.property(matMuls, fc.boolean(), fc.nat(), (f, bias, seed) => {
        expect(faults(contraction(f, bias), seed)).toEqual([])
      }),
      runs,
    )
  }, 60_000)

  it.each(["forward", "inputGradient", "weightGradient"] as const)(
    "conv2d %s",
    (pass) => {
      fc.assert(
        fc.property(convolutions(pass), fc.boolean(), fc.nat(), (f, bias, seed) => {
          expect(faults(contraction(f, bias && pass === "forward"), seed)).toEqual([])
        }),
        runs,
      )
    },
    60_000,
  )
})
