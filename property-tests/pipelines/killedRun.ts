/**
 * A process to be killed: the run of `everything.ts` with checkpoints in a folder, going on from the latest. It says each
 * event on a line. Files are written slowly, so that many of them are cut in the middle.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Wasm from "../../src/gpu/wasm/Wasm.ts"
import * as Train from "../../src/pipelines/Train.ts"
import { run } from "./everything.ts"

const [folder = "", epochs = "1", pause = "0"] = process.argv.slice(2)

const slow = Layer.effect(
  FileSystem.FileSystem,
  Effect.map(FileSystem.FileSystem, (fs) => ({
    ...fs,
    open: (path: string, options?: Parameters<typeof fs.open>[1]) =>
      Effect.map(fs.open(path, options), (file): FileSystem.File => {
        const writeAll = (bytes: Uint8Array) => {
          const half = Math.floor(bytes.length / 2)
          return file
            .writeAll(bytes.subarray(0, half))
            .pipe(Effect.andThen(Effect.sleep(Number(pause))), Effect.andThen(file.writeAll(bytes.subarray(half))))
        }
        // the methods of a file are its class's, and its place is in itself
        return Object.assign(Object.create(file), { writeAll, seek: file.seek.bind(file) })
      }),
  })),
)
const files = Layer.provideMerge(slow, NodeServices.layer)

const program = Effect.gen(function* () {
  const resume = yield* Effect.orElseSucceed(Train.resume(`${folder}/checkpoints`), () => undefined)
  yield* run({ folder: `${folder}/checkpoints`, every: "3 steps", epochs: Number(epochs), resume }).pipe(
    Train.save(`${folder}/model.safetensors`),
    Train.save(`${folder}/average.safetensors`, { weights: "average" }),
    Train.log(`${folder}/log.jsonl`),
    Stream.runForEach((event) => Console.log(event._tag)),
  )
})

program.pipe(Effect.provide(Layer.merge(Wasm.layer({ threads: 1 }), files)), NodeRuntime.runMain)
