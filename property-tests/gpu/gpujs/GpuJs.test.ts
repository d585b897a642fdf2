import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { conformance } from "./conformance.ts"
import { layerOf } from "./modes.ts"
import { random } from "./random.ts"

for (const mode of ["cpu", "webasm"] as const) {
  conformance({ mode, absent: undefined })
  random({ mode, absent: undefined })
}

describe("what gpu.js cannot do here", () => {
  it.effect("is refused with the mode and the way out", () =>
    Effect.gen(function* () {
      const start = (mode: "webgl" | "webgl2") => Layer.build(layerOf(mode)).pipe(Effect.scoped, Effect.exit)
      for (const mode of ["webgl", "webgl2"] as const) {
        const exit = yield* start(mode)
        assert.isTrue(Exit.isFailure(exit))
        assert.match(String(Exit.isFailure(exit) && exit.cause), new RegExp(`gpujs-${mode} could not start`))
      }
    }),
  )
})
