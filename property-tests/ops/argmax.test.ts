import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { alongOne } from "../support/cases.ts"
import { onEveryDevice } from "../support/devices.ts"
import { reduced } from "../support/reference.ts"

const winner = (xs: ReadonlyArray<number>): number => xs.indexOf(Math.max(...xs))

onEveryDevice(
  Laws.op(({ x }, { dim }) => Ops.argmax(x, dim), {
    name: "argmax",
    cases: alongOne,
    // many ties: the first of equals wins
    elements: () => ({ x: Laws.tied }),
    reference: ({ x }, { dim }) => reduced(x, { dims: [dim < 0 ? dim + x.shape.length : dim] }, winner),
    differentiable: "a position is constant wherever it is differentiable",
    refused: [{ shapes: { x: [2, 3] }, attributes: { dim: 2 }, says: "there is no dimension 2 in 2×3" }],
  }),
)
