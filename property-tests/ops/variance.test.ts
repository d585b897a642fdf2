import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { onEveryDevice } from "../support/devices.ts"
import { average, reduced, total } from "../support/reference.ts"

const cases = Laws.extents({ rank: [1, 4] }).map((x) => ({
  shapes: { x: [...x, 3] },
  attributes: { dim: [0, x.length], keepDim: x.length % 2 === 0, correction: x.length % 3 === 0 ? 0 : 1 },
}))

onEveryDevice(
  Laws.op(({ x }, options) => Ops.variance(x, options), {
    name: "variance",
    cases,
    reference: ({ x }, { dim, keepDim, correction }) =>
      reduced(x, { dims: dim, keepDim }, (xs) => {
        const mean = average(xs)
        return total(xs.map((v) => (v - mean) ** 2)) / (xs.length - correction)
      }),
    refused: [
      {
        shapes: { x: [2, 3] },
        attributes: { dim: [2], keepDim: false, correction: 1 },
        says: "there is no dimension 2 in 2×3",
      },
    ],
  }),
)
