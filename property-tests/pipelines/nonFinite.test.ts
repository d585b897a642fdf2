import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Device } from "../../src/gpu/Device.ts"
import * as Reference from "../../src/gpu/reference/Reference.ts"
import * as Wasm from "../../src/gpu/wasm/Wasm.ts"
import * as Nn from "../../src/models/index.ts"
import * as Ops from "../../src/ops/Ops.ts"
import * as Data from "../../src/pipelines/Data.ts"
import * as Loss from "../../src/pipelines/Loss.ts"
import * as Optim from "../../src/pipelines/Optim.ts"
import * as Train from "../../src/pipelines/Train.ts"

const { train: samples } = Effect.runSync(Data.synthetic({ seed: 3, shape: [1, 4, 4], classes: 3, train: 40 }))

/** gives what it is given, by way of the root of 0, whose slope is infinite */
interface RootRule extends Nn.Rule {
  readonly out: this["in"]
}
interface Root extends Nn.Layer {
  readonly kind: "root"
  readonly "~": Nn.Typed<RootRule, object, "root">
}
const root = (): Root =>
  Nn.layer<Root>({
    kind: "root",
    label: "root",
    rule: (input) => input,
    forward: Nn.pure((x) => Ops.add(x, Ops.sqrt(Ops.sub(x, x)))),
  })

const net = Nn.sequential(
  Nn.input("N", 1, 4, 4),
  ["features", [["conv", Nn.conv2d(1, 2, { kernelSize: 3, padding: 1 })], ["norm", Nn.batchNorm2d(2)], Nn.relu()]],
  Nn.flatten(),
  ["fc1", Nn.linear(32, 8)],
  ["fc2", Nn.linear(8, 3)],
)
const rooted = Nn.sequential(Nn.input("N", 1, 4, 4), Nn.flatten(), ["fc1", Nn.linear(16, 8)], root(), [
  "fc2",
  Nn.linear(8, 3),
])

const initial = Nn.init(net, { seed: 1 }) as Train.HostParameters
/** the initial parameters, one of them changed */
const changed = (name: string, f: (x: number, i: number) => number): Train.HostParameters => {
  const { shape, data } = initial[name]!
  return { ...initial, [name]: { shape, data: data.map(f) } }
}
const spoiled = Data.make({
  ...samples,
  read: (which, key) =>
    Effect.map(samples.read(which, key), ({ images, labels }) => {
      // sample 20 is in the second batch
      const at = which.indexOf(20)
      if (at >= 0) images[16 * at + 5] = Number.NaN
      return { images, labels }
    }),
})

const failure = (options: {
  readonly model?: Train.Model
  readonly parameters?: Train.HostParameters
  readonly data?: typeof samples
  readonly lr?: number
}) =>
  Train.fit({
    model: options.model ?? (net as Train.Model),
    loss: Loss.crossEntropy(),
    optimizer: Optim.sgd({ lr: options.lr ?? 0.01, momentum: 0.9 }).pipe(Optim.average()),
    data: (options.data ?? samples).pipe(Data.batch(16)),
    epochs: 2,
    ...(options.parameters === undefined ? {} : { parameters: options.parameters }),
  }).pipe(
    Stream.runDrain,
    Effect.flip,
    Effect.flatMap((e) => (e._tag === "NonFiniteLoss" ? Effect.succeed(e) : Effect.die(e))),
  )

for (const [name, device] of [
  ["reference", Reference.layer],
  ["wasm", Wasm.layer({ threads: 1 })],
] as const) {
  describe(`a loss that is not finite, on ${name}`, () => {
    const run = <A, E>(self: Effect.Effect<A, E, Device>) =>
      Effect.provide(
        Effect.tap(self, () =>
          Effect.flatMap(Device, ({ live }) =>
            Effect.map(live, (left) => assert.deepStrictEqual({ ...left }, { handles: 0, bytes: 0 })),
          ),
        ),
        device,
      )

    it.live.each([
      ["features.conv.weight", "features.conv.weight holds values that are not finite"],
      ["features.norm.bias", "features.norm.bias holds values that are not finite"],
      ["fc2.weight", "fc2.weight holds values that are not finite"],
    ])("a NaN in %s is found there", ([parameter, says]) =>
      run(
        Effect.gen(function* () {
          const error = yield* failure({ parameters: changed(parameter!, (x, i) => (i === 1 ? Number.NaN : x)) })
          assert.deepStrictEqual({ ...error.origin }, { _tag: "Parameter", name: parameter! })
          assert.include(error.message, `the loss is NaN at epoch 1, step 1 (step 1 of the run): ${says}; take a lower`)
        }),
      ),
    )

    it.live("a NaN in the images is found there, at the step that sees it", () =>
      run(
        Effect.gen(function* () {
          const error = yield* failure({ data: spoiled })
          assert.deepStrictEqual({ ...error.origin }, { _tag: "Input" })
          assert.strictEqual(
            error.message,
            "the loss is NaN at epoch 1, step 2 (step 2 of the run): the images of the batch hold values that are not " +
              "finite; look at the data",
          )
        }),
      ),
    )

    it.live("an overflow in one layer is found there", () =>
      run(
        Effect.gen(function* () {
          const large = changed("fc1.weight", (x) => x * 1e25)
          const parameters = { ...large, "fc2.weight": changed("fc2.weight", (x) => x * 1e25)["fc2.weight"]! }
          const error = yield* failure({ parameters })
          assert.deepStrictEqual({ ...error.origin }, { _tag: "Output", layer: "fc2 (linear(8, 3))" })
        }),
      ),
    )

    it.live("a gradient that is not finite is found where it arose, in the step before", () =>
      run(
        Effect.gen(function* () {
          const error = yield* failure({ model: rooted })
          assert.deepStrictEqual({ ...error.origin }, { _tag: "Gradient", layer: "fc1 (linear(16, 8))", step: 1 })
          assert.strictEqual(error.totalSteps, 2)
        }),
      ),
    )
  })
}
