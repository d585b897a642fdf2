import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { readFileSync } from "node:fs"
import * as RunFolder from "../../src/pipelines/RunFolder.ts"
import { version } from "../../src/pipelines/version.ts"

const description = RunFolder.describe({
  model: { name: "lenet", options: { numClasses: 10 }, input: [1, 28, 28], parameters: 61_610 },
  data: { name: "mnist", options: {}, samples: 60_000 },
  classes: ["0", "1"],
  normalization: { mean: [0.5], std: [0.5] },
  training: { epochs: 2, batchSize: 64, seed: 0, loss: "crossEntropy", optimizer: "adam", options: { lr: 0.001 } },
})

const run = <A, E>(self: (folder: string) => Effect.Effect<A, E, Effect.Services<typeof services>>) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped()).pipe(
    Effect.flatMap(self),
    Effect.scoped,
    Effect.provide(NodeServices.layer),
  )
const services = RunFolder.read("")

describe("the folder of a run", () => {
  it("says the version that package.json says", () => {
    const { version: expected }: { readonly version: string } = JSON.parse(readFileSync("package.json", "utf8"))
    assert.strictEqual(version, expected)
  })

  it.live("is described, and read as it was described", () =>
    run((folder) =>
      Effect.gen(function* () {
        yield* RunFolder.write(`${folder}/new`, description)
        assert.deepStrictEqual(yield* RunFolder.read(`${folder}/new`), description)
        assert.strictEqual(description.files.parameters, "model.safetensors")
        assert.deepStrictEqual(yield* RunFolder.filesOf(folder), {
          parameters: `${folder}/model.safetensors`,
          log: `${folder}/log.jsonl`,
          checkpoints: `${folder}/checkpoints`,
        })
      }),
    ),
  )

  it.live("that is none, or not ours, is told in one sentence", () =>
    run((folder) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const refused = Effect.map(Effect.flip(RunFolder.read(folder)), (e) => e.message)
        assert.strictEqual(yield* refused, `there is no ${folder}/run.json; name a folder that train wrote`)
        for (const [text, says] of [
          ["{", /is no description of a run \(.*JSON/],
          ["{}", /is no description of a run \(Missing key at \["format"\]/],
          [
            JSON.stringify({ ...description, classes: [1] }),
            /is no description of a run \(Expected string.*\["classes"\]/,
          ],
        ] as const) {
          yield* fs.writeFileString(`${folder}/run.json`, text)
          const message = yield* refused
          assert.match(message, says)
          assert.notInclude(message, "\n")
        }
        const wrong = yield* Effect.flip(RunFolder.write("/dev/null/x", description))
        assert.match(wrong.message, /^\/dev\/null\/x\/run\.json cannot be written \(.*\); check the folder/)
      }),
    ),
  )
})
