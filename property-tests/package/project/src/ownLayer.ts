/** A layer of one's own, with its type rule and the sentence of its refusal. */
import { HostTensor, Nn, Ops, Program, type Shapes, Tensor } from "effect-nn"
import * as Effect from "effect/Effect"

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

/** `[N, C·R², H, W] → [N, C, H·R, W·R]` */
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
      const [n = 1, ...rest] = x.shape
      const [c = 1, h = 1, w = 1] = rest.map(Number)
      // a plain number: the ops compute with it at run time, the rule above says the shape
      const f: number = r
      const split = Ops.reshape(x, [n, c / (f * f), f, f, h, w])
      return Ops.reshape(Ops.permute(split, [0, 1, 4, 2, 5, 3]), [n, c / (f * f), h * f, w * f])
    }),
  })

const net = Nn.sequential(Nn.input("N", 1, 2, 2), ["up", Nn.conv2d(1, 4, { kernelSize: 1 })], pixelShuffle(2))

/** the shape that the net gives, as its type says, and the sum of the gradient of its filters */
export const ownLayer = Effect.fnUntraced(function* <E>(after: (step: number) => Effect.Effect<void, E>) {
  const filters = { "up.weight": Tensor.input(4, 1, 1, 1), "up.bias": Tensor.input(4) }
  const program = yield* Program.compile({ ...filters, x: Tensor.input("N", 1, 2, 2) }, ({ x, ...params }) => {
    const y = Nn.apply(net, params, x)
    return { y, gradient: Ops.grad(Ops.sum(y), params) }
  })
  const params = {
    "up.weight": HostTensor.make([4, 1, 1, 1], [1, 2, 3, 4]),
    "up.bias": HostTensor.make([4], [0, 0, 0, 0]),
  }
  yield* after(1)
  const { y, gradient } = yield* program.run({ ...params, x: HostTensor.make([1, 1, 2, 2], [1, 10, 100, 1000]) })
  yield* after(2)
  const shape: readonly [number, 1, 4, 4] = y.shape
  return { shape, y: [...y.data], gradient: [...gradient["up.weight"].data] }
}, Effect.scoped)
