/** Models of the zoo train on the WebAssembly device. `ZOO=all` takes every model, some of which need minutes. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Nn, Wasm } from "../../src/index.ts"
import { trainTwice } from "./trainStep.ts"

const quick = ["lenet", "tinyvgg", "mnistcnn", "squeezenet1_1"]
const names = process.env["ZOO"] === "all" ? Object.keys(Nn.zoo) : quick

it.live.each(names)(
  "%s takes steps of finite loss",
  (name) =>
    Effect.gen(function* () {
      const make = Nn.zoo[name]
      if (make === undefined) return assert.fail(`there is no ${name}`)
      const losses = yield* trainTwice(make(), 2)
      console.log(`${name}: ${losses.join(" then ")}`)
      for (const loss of losses) assert.isTrue(Number.isFinite(loss), `${loss}`)
    }).pipe(Effect.provide(Wasm.layer({ threads: 2 }))),
  600_000,
)
