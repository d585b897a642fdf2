import * as fc from "fast-check"
import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import type { Tensor } from "../../src/ops/Tensor.ts"
import { int } from "../support/cases.ts"
import { onEveryDevice } from "../support/devices.ts"
import { total } from "../support/reference.ts"

const ignored = -100

const cases = fc
  .record({
    n: int(1, 4),
    c: int(1, 6),
    rest: fc.constantFrom<ReadonlyArray<number>>([], [3], [2, 2]),
    weighted: fc.boolean(),
    labelSmoothing: fc.constantFrom(0, 0.2),
    reduction: fc.constantFrom("mean" as const, "sum" as const, "none" as const),
  })
  .map(({ n, c, rest, ...attributes }) => ({ shapes: { x: [n, c, ...rest], t: [n, ...rest], w: [c] }, attributes }))

/** classes, one in a few of them ignored, but never the first: the mean of nothing is NaN */
const classes =
  (c: number): Laws.Elements =>
  (count) =>
    fc
      .array(int(-1, c - 1), { minLength: count, maxLength: count })
      .map((ks) => Float32Array.from(ks, (k, i) => (k >= 0 ? k : i === 0 ? 0 : ignored)))

onEveryDevice(
  Laws.op(
    ({ x, t, w }, { weighted, ...options }): Tensor =>
      Ops.crossEntropy(x, t, weighted ? { ...options, weight: w } : options),
    {
      name: "crossEntropy",
      cases,
      elements: ({ shapes }) => ({ t: classes(shapes.x[1] ?? 1), w: Laws.positive }),
      differentiable: ["x"],
      reference: ({ x, t, w }, { weighted, labelSmoothing, reduction }) => {
        const c = x.shape[1] ?? 1
        const weight = (k: number): number => (weighted ? Laws.at(w, k) : 1)
        let counted = 0
        const losses = Laws.tabulate(t.shape, (...i) => {
          const [n = 0, ...rest] = i
          const own = Laws.at(t, ...i)
          if (own === ignored) return 0
          counted += weight(own)
          let [sum, smooth] = [0, 0]
          for (let k = 0; k < c; k++) sum += Math.exp(Laws.at(x, n, k, ...rest))
          const loss = (k: number): number => weight(k) * (Math.log(sum) - Laws.at(x, n, k, ...rest))
          for (let k = 0; k < c; k++) smooth += loss(k)
          return (1 - labelSmoothing) * loss(own) + (labelSmoothing / c) * smooth
        })
        const sum = total([...losses.data])
        if (reduction === "none") return losses
        return { shape: [], data: Float64Array.of(reduction === "sum" ? sum : sum / counted) }
      },
      refused: [
        {
          shapes: { x: [2, 3], t: [3], w: [3] },
          attributes: { weighted: false, labelSmoothing: 0, reduction: "mean" },
          says: "expects classes of shape 2 for an input of 2×3 but is given 3",
        },
      ],
    },
  ),
)
