/** A layer as a user writes it, with nothing but the package. */
import { Nn, Ops, type Shapes } from "../../src/index.ts"

export interface PixelShuffle<R extends number> extends Nn.Layer {
  readonly kind: "pixelShuffle"
  readonly "~": Nn.Typed<PixelShuffleRule<R>, object, `pixelShuffle(${R})`>
}
export interface PixelShuffleRule<R extends number> extends Nn.Rule {
  readonly out: this["in"] extends readonly [
    infer N,
    infer C extends number,
    infer H extends number,
    infer W extends number,
  ]
    ? 0 extends Shapes.Mod<C, Shapes.Mul<R, R>>
      ? [N, Shapes.FloorDiv<C, Shapes.Mul<R, R>>, Shapes.Mul<H, R>, Shapes.Mul<W, R>]
      : Shapes.Refuse<`expects a multiple of ${Shapes.Mul<R, R>} channels but ${Nn.By<this["by"]>} gives ${C}`>
    : Shapes.Refuse<"expects [N, C, H, W]">
}
export const pixelShuffle = <const R extends number>(r: R) =>
  Nn.layer<PixelShuffle<R>>({
    kind: "pixelShuffle",
    label: `pixelShuffle(${r})`,
    rule: ([n, c, h, w], { by }) => {
      if (n === undefined || typeof c !== "number" || typeof h !== "number" || typeof w !== "number")
        return Nn.refuse("expects [N, C, H, W]")
      return c % (r * r) === 0
        ? [n, c / (r * r), h * r, w * r]
        : Nn.refuse(`expects a multiple of ${r * r} channels but ${by} gives ${c}`)
    },
    forward: Nn.pure((x) => {
      const [n = 1, c = 1, h = 1, w = 1] = x.shape
      return Ops.reshape(x, [n, Number(c) / (r * r), Number(h) * r, Number(w) * r])
    }),
  })

/** one that learns */
export interface Scale<F extends number> extends Nn.Layer {
  readonly kind: "scale"
  readonly "~": Nn.Typed<ScaleRule<F>, { weight: [F] }, `scale(${F})`>
}
export interface ScaleRule<F extends number> extends Nn.Rule {
  readonly out: this["in"] extends readonly [...infer N, F]
    ? [...N, F]
    : Shapes.Refuse<`expects ${F} features at the end of the shape`>
}
export const scale = <const F extends number>(features: F) =>
  Nn.layer<Scale<F>>({
    kind: "scale",
    label: `scale(${features})`,
    rule: (input) =>
      input.at(-1) === features ? input : Nn.refuse(`expects ${features} features at the end of the shape`),
    params: [Nn.trainable("weight", [features], { _tag: "Fill", value: 1 })],
    forward: Nn.pure((x, { params }) => (params["weight"] === undefined ? x : Ops.mul(x, params["weight"]))),
  })
