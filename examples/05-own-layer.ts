/**
 * One step past 04: a layer of one's own, which scales each channel by a number that it learns. Its rule is a type and a
 * value, so `sequential` checks it like any other: on `scale(7)` below, the compiler says what does not fit.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Data, Loss, Nn, Ops, Optim, type Shapes, type Tensor, Train } from "../src/index.ts"
import { type Budget, limited } from "./budget.ts"

export interface Scale<C extends number> extends Nn.Layer {
  readonly kind: "scale"
  readonly "~": Nn.Typed<ScaleRule<C>, { readonly weight: readonly [C] }, `scale(${C})`>
}
export interface ScaleRule<C extends number> extends Nn.Rule {
  readonly out: this["in"] extends readonly [infer N, infer D, infer H, infer W]
    ? [D, C] extends [C, D]
      ? [N, D, H, W]
      : Shapes.Refuse<`expects ${C} channels but ${Nn.By<this["by"]>} gives ${D & number}`>
    : Shapes.Refuse<"expects [N, C, H, W]">
}

/** `[N, C, H, W] → [N, C, H, W]`, each channel times its weight */
export const scale = <const C extends number>(channels: C) =>
  Nn.layer<Scale<C>>({
    kind: "scale",
    label: `scale(${channels})`,
    params: [Nn.trainable("weight", [channels], { _tag: "Fill", value: 1 })],
    rule: (input, { by }) => {
      const [, c] = input
      if (input.length !== 4) return Nn.refuse("expects [N, C, H, W]")
      return c === channels ? input : Nn.refuse(`expects ${channels} channels but ${by} gives ${c}`)
    },
    forward: Nn.pure((x, { params: { weight } }) =>
      weight === undefined ? x : Ops.mul(x, Ops.reshape(weight as Tensor.Tensor, [1, -1, 1, 1]) as Tensor.Tensor),
    ),
  })

const net = Nn.sequential(
  Nn.input("N", 1, 28, 28),
  ["conv", Nn.conv2d(1, 6, { kernelSize: 5, stride: 2 })],
  ["scale", scale(6)],
  Nn.relu(),
  Nn.flatten(),
  ["head", Nn.linear(864, 10)],
)

export const run = (budget: Budget) =>
  Effect.gen(function* () {
    const { train } = limited(yield* Data.mnist(), { ...budget, limit: Math.min(budget.limit ?? Infinity, 12_800) })
    const trained = yield* Train.fit({
      model: net,
      loss: Loss.crossEntropy(),
      optimizer: Optim.adam(),
      data: train.pipe(Data.shuffle, Data.batch(64)),
      epochs: 1,
    }).pipe(
      Train.progressBar,
      Stream.filter((event) => event._tag === "EpochEnd"),
      Stream.mapEffect((event) => event.state.parameters),
      Stream.runHead,
    )
    const weights = trained._tag === "None" ? [] : [...(trained.value["scale.weight"]?.data ?? [])]
    console.log(`each channel's factor, 1 to begin with: ${weights.map((w) => w.toFixed(3)).join(", ")}`)
    return weights
  })
