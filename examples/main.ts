/** Runs the first example on the best device of this machine: `node examples/main.ts`. */
import * as Effect from "effect/Effect"
import { Device } from "../src/index.ts"
import { train } from "./01-train-lenet.ts"

const { device, losses } = await Effect.runPromise(train(20).pipe(Effect.provide(Device.auto)))
console.log(device.description)
console.log(losses.map((loss, step) => `step ${step + 1}, loss ${loss.toFixed(4)}`).join("\n"))
