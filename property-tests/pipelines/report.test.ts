import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as FileSystem from "effect/FileSystem"
import { parseHTML } from "linkedom"
import sharp from "sharp"
import { Device } from "../../src/gpu/Device.ts"
import * as Reference from "../../src/gpu/reference/Reference.ts"
import * as Nn from "../../src/models/index.ts"
import * as Data from "../../src/pipelines/Data.ts"
import { optionalPackage } from "../../src/pipelines/MissingPackage.ts"
import * as Report from "../../src/pipelines/Report.ts"
import { parse } from "../../src/pipelines/report/runLog.ts"
import * as RunFolder from "../../src/pipelines/RunFolder.ts"

const event = (fields: object) => `${JSON.stringify({ time: 1, ...fields })}\n`
const step = (totalSteps: number, loss: number) =>
  event({ event: "Step", epoch: 1, totalSteps, loss, learningRate: 0.1 / totalSteps })
const end = (epoch: number, totalSteps: number) =>
  event({ event: "EpochEnd", epoch, totalSteps, loss: 1 / epoch, accuracy: 1 - 0.4 / epoch, seconds: 2 })
const evaluation = (epoch: number, accuracy: number) =>
  event({ event: "Evaluation", epoch, data: "x", metrics: { accuracy, loss: 0.5 }, seconds: 1 })
const log = [
  event({ event: "Start", steps: 2 }),
  step(1, 2),
  step(2, 1),
  end(1, 2),
  evaluation(1, 0.7),
  step(3, 9),
  // resumed from step 2: what is told again counts
  step(3, 0.8),
  step(4, 0.6),
  end(2, 4),
  evaluation(2, 0.75),
  '{"event":"Step","totalSteps":5,"lo',
].join("")

describe("the log of a run", () => {
  it("gives the curves; what a resumed run tells again counts, a line that was cut does not", async () => {
    const { loss, learningRate, epochs } = await Effect.runPromise(parse(log))
    assert.deepStrictEqual(
      loss.map((p) => [p.step, p.value]),
      [
        [1, 2],
        [2, 1],
        [3, 0.8],
        [4, 0.6],
      ],
    )
    assert.deepStrictEqual(learningRate[3], { step: 4, value: 0.025 })
    assert.deepStrictEqual(
      epochs.map((e) => [e.epoch, e.step, e.accuracy, e.testAccuracy, e.testLoss]),
      [
        [1, 2, 0.6, 0.7, 0.5],
        [2, 4, 0.8, 0.75, 0.5],
      ],
    )
  })

  it("of many steps is thinned to means", async () => {
    const text = Array.from({ length: 3000 }, (_, i) => step(i + 1, i % 2)).join("")
    const { loss } = await Effect.runPromise(parse(text))
    assert.strictEqual(loss.length, 300)
    assert.deepStrictEqual(loss[0], { step: 5.5, value: 0.5 })
  })
})

/** a model whose logits are its input */
const identity = Nn.sequential(Nn.input("N", 1, 1, 3), Nn.flatten())

const withFolder = <A, E, R>(use: (folder: string) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped()).pipe(
    Effect.flatMap(use),
    Effect.scoped,
    Effect.provide(Layer.merge(Reference.layer, NodeServices.layer)),
  )

describe("Report", () => {
  const classes = ["ant & bee", "<cat>", "dog"]
  const logits = [
    [9, 0, 0],
    [0, 5, 0],
    [0, 2, 1],
    [7, 0, 0],
    [0, 0, 1],
  ]
  const labels = [0, 1, 2, 2, 2]
  const results = Effect.gen(function* () {
    const images = Float32Array.from(logits.flat())
    const data = yield* Data.fromArrays({ name: "five", shape: [1, 1, 3], images, labels, classes })
    return yield* Report.results({ model: identity, parameters: {}, data })
  })

  it.live("knows what was taken for what, and which mistakes the model was surest of, with their pictures", () =>
    Effect.gen(function* () {
      const { confusion, mistakes, accuracy, samples, loss } = yield* results
      assert.deepStrictEqual(confusion, [
        [1, 0, 0],
        [0, 1, 0],
        [1, 1, 1],
      ])
      assert.deepStrictEqual([accuracy, samples], [0.6, 5])
      const softmax = (row: ReadonlyArray<number>, c: number) =>
        Math.exp(row[c]!) / row.reduce((sum, x) => sum + Math.exp(x), 0)
      const expected = logits.reduce((sum, row, i) => sum - Math.log(softmax(row, labels[i]!)), 0) / 5
      assert.closeTo(loss, expected, 1e-5)
      assert.deepStrictEqual(
        mistakes.map((m) => [m.index, m.label, m.predicted]),
        [
          [3, 2, 0],
          [2, 2, 1],
        ],
      )
      assert.closeTo(mistakes[0]!.confidence, softmax(logits[3]!, 0), 1e-6)
      const png = Buffer.from(mistakes[0]!.picture.replace("data:image/png;base64,", ""), "base64")
      const { data, info } = yield* Effect.promise(() =>
        sharp(png).toColourspace("b-w").raw().toBuffer({ resolveWithObject: true }),
      )
      assert.deepStrictEqual([info.width, info.height], [84, 28])
      assert.deepStrictEqual([data[0], data[83]], [255, 0])
      assert.deepStrictEqual({ ...(yield* (yield* Device).live) }, { handles: 0, bytes: 0 })
    }).pipe(Effect.provide(Reference.layer)),
  )

  it.live("is one page that fetches nothing and can be read without seeing it, and SVG files beside it", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const training = {
          epochs: 2,
          batchSize: 4,
          seed: 3,
          loss: "crossEntropy",
          optimizer: "adam",
          options: { lr: 0.1 },
        }
        const description = RunFolder.describe({
          model: { name: "lenet", options: {}, input: [1, 28, 28], parameters: 61_610 },
          data: { name: "five", options: {}, samples: 5 },
          classes,
          normalization: null,
          training,
        })
        yield* RunFolder.write(folder, description)
        // interrupted before its first step
        yield* fs.writeFileString(`${folder}/log.jsonl`, event({ event: "Start", steps: 2 }))
        assert.notInclude(yield* fs.readFileString(yield* Report.write(folder)), "Curves")
        yield* fs.writeFileString(`${folder}/log.jsonl`, log)
        // without results there are curves and the table all the same
        const first = yield* fs.readFileString(yield* Report.write(folder))
        assert.notInclude(first, "What was taken for what")
        assert.include(first, "layer1.conv1")

        yield* Report.saveResults(folder, yield* results)
        const page = yield* Report.write(folder)
        assert.strictEqual(page, `${folder}/report.html`)
        const text = yield* fs.readFileString(page)
        // nothing of another place: only names of namespaces and what is in the page
        const shown = text.replaceAll(/data:image\/png;base64,[\w+/=]*/g, "")
        const addresses = (shown.match(/(?:https?:)?\/\/[\w.][^"'\s)<]*/g) ?? []).filter(
          (a) => !a.includes("www.w3.org"),
        )
        assert.deepStrictEqual(addresses, [])
        assert.notMatch(shown, /<script|<link|@import|NaN|undefined|\[object/)
        const { document } = parseHTML(text)
        assert.strictEqual(document.documentElement.getAttribute("lang"), "en")
        const charts = [...document.querySelectorAll("svg.chart")]
        assert.deepStrictEqual(
          charts.map((c) => [c.getAttribute("role"), c.getAttribute("aria-label")]),
          [
            ["img", "Loss over 4 steps: training from 2 to 0.6, validation from 0.5 to 0.5"],
            ["img", "Accuracy over 4 steps: training from 60.0 % to 80.0 %, validation from 70.0 % to 75.0 %"],
            ["img", "Learning rate over 4 steps: from 0.1 to 0.025"],
          ],
        )
        const pictures = [...document.querySelectorAll("img")]
        assert.deepStrictEqual(
          pictures.map((i) => i.getAttribute("alt")),
          ["Sample 3: it is dog, taken for ant & bee", "Sample 2: it is dog, taken for <cat>"],
        )
        assert.isTrue(pictures.every((i) => i.getAttribute("src")?.startsWith("data:image/png;base64,")))
        const cells = [...document.querySelectorAll(".matrix tbody tr")].map((row) =>
          [...row.querySelectorAll("th,td")].map((c) => c.textContent),
        )
        assert.deepStrictEqual(cells, [
          ["ant & bee", "1", "", "", "100.0 %"],
          ["<cat>", "", "1", "", "100.0 %"],
          ["dog", "1", "1", "1", "33.3 %"],
        ])
        assert.match(text, /prefers-color-scheme:dark/)
        for (const name of ["loss", "accuracy", "learning-rate"]) {
          const svg = yield* fs.readFileString(`${folder}/${name}.svg`)
          const { info } = yield* Effect.promise(() =>
            sharp(Buffer.from(svg)).png().toBuffer({ resolveWithObject: true }),
          )
          assert.deepStrictEqual([info.width, info.height], [640, 300])
        }
        yield* fs.writeFileString(`${folder}/results.json`, '{"data":1}')
        const refused = yield* Effect.flip(Report.write(folder))
        assert.match(refused.message, /results\.json is no description of a run \(.*\["data"\]/)
      }),
    ),
  )

  it.effect("says what to install where a package is missing", () =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(optionalPackage("no-such-package", "to draw the curves of a report"))
      assert.strictEqual(
        message,
        "no-such-package is needed to draw the curves of a report (it is not installed); " +
          "install it with: npm install no-such-package",
      )
    }),
  )
})
