import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { int } from "../support/cases.ts"
import { onEveryDevice } from "../support/devices.ts"

const cases = Laws.extents({ rank: [1, 5] }).chain((x) =>
  int(0, x.length - 1).map((startDim) => ({ shapes: { x }, attributes: { startDim } })),
)

onEveryDevice(
  Laws.op(({ x }, { startDim }) => Ops.flatten(x, startDim), {
    name: "flatten",
    cases,
    edges: [{ shapes: { x: [0, 2, 3] }, attributes: { startDim: 1 } }],
    reference: ({ x }, { startDim }) => ({
      shape: [...x.shape.slice(0, startDim), x.shape.slice(startDim).reduce((n, d) => n * d, 1)],
      data: x.data,
    }),
    refused: [{ shapes: { x: [2] }, attributes: { startDim: 3 }, says: "there is no dimension 3 in 2" }],
  }),
)
