import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { onEveryDevice } from "../support/devices.ts"
import { pairwise } from "../support/reference.ts"

onEveryDevice(
  Laws.op(({ a, b }) => Ops.lessEqual(a, b), {
    name: "lessEqual",
    cases: Laws.together(Laws.broadcastable),
    edges: [
      { shapes: { a: [0, 3], b: [1] }, attributes: {} },
      { shapes: { a: [1, 1], b: [] }, attributes: {} },
    ],
    reference: ({ a, b }) => pairwise(a, b, (x, y) => (x <= y ? 1 : 0)),
    refused: [{ shapes: { a: [2], b: [3] }, attributes: {}, says: "2 and 3 do not broadcast" }],
    elements: () => ({ a: Laws.tied, b: Laws.tied }),
    differentiable: "a comparison is constant wherever it is differentiable",
  }),
)
