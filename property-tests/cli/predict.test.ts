import { execFile } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import * as Wasm from "../../src/gpu/wasm/Wasm.ts"
import * as Nn from "../../src/models/index.ts"
import * as Data from "../../src/pipelines/Data.ts"
import * as Loss from "../../src/pipelines/Loss.ts"
import * as Optim from "../../src/pipelines/Optim.ts"
import * as Predict from "../../src/pipelines/Predict.ts"
import * as RunFolder from "../../src/pipelines/RunFolder.ts"
import * as Train from "../../src/pipelines/Train.ts"
import { byHand, papers } from "../pipelines/drawnDigits.ts"

const cli = fileURLToPath(new URL("../../src/cli.ts", import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "effect-nn-predict-"))
const lenet = join(folder, "lenet")
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const run = (...args: ReadonlyArray<string>) =>
  new Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>((resolve) => {
    const child = execFile(process.execPath, [cli, ...args], (_, out, err) =>
      resolve({ code: child.exitCode, out, err }),
    )
  })

/** a LeNet that has seen a fifth of MNIST once, in a folder as `train` leaves it */
beforeAll(async () => {
  const trained = Effect.gen(function* () {
    const mnist = yield* Data.mnist()
    const model = Nn.lenet()
    const data = mnist.train.pipe(Data.shuffle, Data.limit(12_000), Data.batch(32))
    yield* Train.fit({ model, loss: Loss.crossEntropy(), optimizer: Optim.adam(), data, epochs: 1, seed: 1 }).pipe(
      Train.save(join(lenet, "model.safetensors")),
      Stream.runDrain,
    )
    const training = { epochs: 1, batchSize: 32, seed: 1, loss: "crossEntropy", optimizer: "adam", options: {} }
    yield* RunFolder.write(
      lenet,
      RunFolder.describe({
        model: { name: "lenet", options: {}, input: [1, 28, 28], parameters: 61_610 },
        data: { name: "mnist", options: {}, samples: 12_000 },
        classes: mnist.train.classes,
        normalization: null,
        training,
      }),
    )
  })
  await Effect.runPromise(trained.pipe(Effect.provide(Wasm.layer()), Effect.provide(NodeServices.layer)))
}, 120_000)

describe("digits that were drawn", () => {
  it("are recognised on every paper: dark on light and light on dark, small, thin, grainy, in shadow", async () => {
    const all = Object.entries(papers).flatMap(([name, paper], p) =>
      Array.from({ length: 10 }, (_, digit) => ({ name, paper, digit, hand: (digit + p) % 2 })),
    )
    const recognised = Effect.gen(function* () {
      const { fromBytes } = yield* Predict.fromRun(lenet)
      return yield* Effect.forEach(
        all,
        ({ paper, digit, hand }) =>
          Effect.flatMap(
            Effect.promise(() => byHand(digit, hand, paper)),
            (png) => fromBytes(png),
          ),
        { concurrency: 8 },
      )
    })
    const found = await Effect.runPromise(
      recognised.pipe(Effect.scoped, Effect.provide(Wasm.layer({ threads: 1 })), Effect.provide(NodeServices.layer)),
    )
    const wrong = all.filter(({ digit }, i) => found[i]!.label !== String(digit))
    // all are by a model that has seen all of MNIST twice
    assert.isAtMost(wrong.length, 7, wrong.map(({ name, digit, hand }) => `${digit}.${hand} ${name}`).join(", "))
    const sure = found.reduce((sum, { probability }) => sum + probability, 0) / found.length
    assert.isAbove(sure, 0.8)
  }, 300_000)

  it("are told at the command line, with how sure it is; what is no picture is told in one sentence", async () => {
    const [seven, text] = [join(folder, "seven.png"), join(folder, "text.png")]
    writeFileSync(seven, await byHand(7, 0, papers["half in shadow"]!))
    writeFileSync(text, "no picture")
    const plain = await run("predict", "--run", lenet, seven, "--device", "wasm", "--threads", "1")
    assert.strictEqual(plain.err, "")
    assert.match(plain.out, /^.*seven\.png: 7, \d+\.\d % sure \(then \d \d+\.\d %, \d \d+\.\d %\)\n$/)
    assert.strictEqual(plain.code, 0)

    const both = await run("predict", "--run", lenet, text, seven, "--json", "--top", "2", "--device", "reference")
    assert.strictEqual(both.code, 1)
    assert.match(both.err, /^effect-nn: .*text\.png cannot be decoded as a picture \([^\n]*\n$/)
    const told: { readonly file: string; readonly label: string; readonly classes: ReadonlyArray<unknown> } =
      JSON.parse(both.out)
    assert.deepStrictEqual([told.file, told.label, told.classes.length], [seven, "7", 2])

    const nowhere = await run("predict", "--run", join(folder, "none"), seven)
    assert.strictEqual(nowhere.code, 1)
    assert.match(nowhere.err, /^effect-nn: there is no .*run\.json; name a folder that train wrote\n$/)
    const none = await run("predict", "--run", lenet)
    assert.strictEqual(none.code, 1)
    assert.match(none.err, /^effect-nn: [^\n]*picture[^\n]*\n$/)
  }, 120_000)
})
