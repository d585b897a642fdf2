import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Data from "./src/pipelines/Data.ts"
import * as Train from "./src/pipelines/Train.ts"
import * as Optim from "./src/pipelines/Optim.ts"
import * as Loss from "./src/pipelines/Loss.ts"
import * as Evaluate from "./src/pipelines/Evaluate.ts"
import * as Ops from "./src/ops/Ops.ts"
import * as Reference from "./src/gpu/reference/Reference.ts"
import { Device } from "./src/gpu/Device.ts"
const model = { name: "mlp", inputShape: [1,8,8], init: (seed:number) => ({
  "fc1.weight": { shape: [16,64], data: Float32Array.from({length:1024},(_,i)=>Math.sin(i*12.9898+seed)*0.1) },
  "fc1.bias": { shape: [16], data: new Float32Array(16) },
  "fc2.weight": { shape: [4,16], data: Float32Array.from({length:64},(_,i)=>Math.sin(i*78.233+seed)*0.2) },
  "fc2.bias": { shape: [4], data: new Float32Array(4) } }),
  apply: (p: any, x: any) => Ops.linear(Ops.relu(Ops.linear(Ops.flatten(x, 1), p["fc1.weight"], p["fc1.bias"])) as any, p["fc2.weight"], p["fc2.bias"]) }
const p = Effect.gen(function*(){
  const {train,test} = yield* Data.synthetic({seed:1, shape:[1,8,8], classes:4, train:400, test:100})
  const last = yield* Train.fit({ model, loss: Loss.crossEntropy(), optimizer: Optim.adam({lr:0.01}), data: train.pipe(Data.shuffle, Data.batch(32)), epochs: 3, seed: 1 }).pipe(
    Train.evaluateEachEpoch(test, {accuracy: Evaluate.accuracy, loss: Evaluate.meanLoss()}),
    Train.save("/tmp/run1/model.safetensors"), Train.log("/tmp/run1/log.jsonl"),
    Train.progressBar, Stream.runLast)
  console.log(last)
  const d = yield* Device; console.log(yield* d.live)
  const l = yield* Train.load("/tmp/run1/model.safetensors")
  console.log(l.metadata, yield* Evaluate.run({model, parameters: l.parameters, data: test, metrics: {accuracy: Evaluate.accuracy}}))
})
Effect.runPromise(p.pipe(Effect.provide(Reference.layer), Effect.provide(NodeServices.layer))).catch(e=>console.log(e))
