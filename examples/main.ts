/**
 * Runs an example on the best device of this machine: `node examples/main.ts 07`, with `--limit 500` on so many pictures
 * only, with `--device wasm` on another device, with `--out folder` for what it writes.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { parseArgs } from "node:util"
import { Device, deviceLayer, type DeviceName } from "../src/index.ts"
import * as first from "./01-train-lenet.ts"
import { examples } from "./examples.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { limit: { type: "string" }, device: { type: "string" }, out: { type: "string" } },
})
const name = positionals[0] ?? "01"
const budget = { limit: values.limit === undefined ? undefined : Number(values.limit), out: values.out ?? "runs" }

const twentySteps = Effect.map(first.train(20), ({ device, losses }) => {
  console.log(device.description)
  console.log(losses.map((loss, step) => `step ${step + 1}, loss ${loss.toFixed(4)}`).join("\n"))
})
const found = examples[name]
const chosen: ReturnType<(typeof examples)[string]> = found === undefined ? twentySteps : found(budget)
// a name that is none is told by the device itself
const device = values.device === undefined ? Device.auto : deviceLayer(values.device as DeviceName)

if (found === undefined && name !== "01") {
  console.error(`there is no example ${name}; there are 01, ${Object.keys(examples).toSorted().join(", ")}`)
  process.exitCode = 1
} else {
  NodeRuntime.runMain(chosen.pipe(Effect.asVoid, Effect.provide(Layer.merge(device, NodeServices.layer))))
}
