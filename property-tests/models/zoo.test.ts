/**
 * Every model of the zoo trains on the WebAssembly device: small ones two steps of two images, the others one step of one.
 * The numbers of large ones are made quickly; `ZOO=all` gives each what the small ones have.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Nn, Wasm } from "../../src/index.ts"
import { trainSteps } from "./trainStep.ts"

const small = ["lenet", "tinyvgg", "mnistcnn", "squeezenet1_1"]
const all = process.env["ZOO"] === "all"

it.live.each(Object.keys(Nn.zoo))(
  "%s takes steps of finite loss",
  (name) =>
    Effect.gen(function* () {
      const make = Nn.zoo[name]
      if (make === undefined) return assert.fail(`there is no ${name}`)
      const options = all || small.includes(name) ? { rows: 2, steps: 2 } : { rows: 1, steps: 1 }
      const losses = yield* trainSteps(make(), options)
      assert.strictEqual(losses.length, options.steps)
      for (const loss of losses) assert.isTrue(Number.isFinite(loss) && loss > 0, `${loss}`)
    }).pipe(Effect.provide(Wasm.layer({ threads: 2 }))),
  600_000,
)
