import * as fc from "fast-check"
import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import type { Tensor } from "../../src/ops/Tensor.ts"
import { alongOne } from "../support/cases.ts"
import { onEveryDevice } from "../support/devices.ts"
import { reduced } from "../support/reference.ts"

const cases = alongOne.chain(({ shapes, attributes: { dim } }) =>
  fc.tuple(fc.boolean(), fc.boolean()).map(([all, keepDim]) => ({
    shapes,
    attributes: { dim: all ? undefined : dim, keepDim },
  })),
)

const winner = (xs: ReadonlyArray<number>): number => xs.indexOf(Math.max(...xs))

onEveryDevice(
  Laws.op(({ x }, { dim, keepDim }): Tensor => Ops.argmax(x, dim, { keepDim }), {
    name: "argmax",
    cases,
    // many ties: the first of equals wins
    elements: () => ({ x: Laws.tied }),
    reference: ({ x }, { dim, keepDim }) => {
      const dims = dim === undefined ? x.shape.map((_, i) => i) : [dim < 0 ? dim + x.shape.length : dim]
      return reduced(x, { dims, keepDim }, winner)
    },
    differentiable: "a position is constant wherever it is differentiable",
    refused: [
      { shapes: { x: [2, 3] }, attributes: { dim: 2, keepDim: false }, says: "there is no dimension 2 in 2×3" },
    ],
  }),
)
