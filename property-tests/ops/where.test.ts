import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { onEveryDevice } from "../support/devices.ts"
import { pairwise } from "../support/reference.ts"

const cases = Laws.broadcastable.map(({ a, b }) => ({ shapes: { condition: a, a, b }, attributes: {} }))

onEveryDevice(
  Laws.op(({ condition, a, b }) => Ops.where(Ops.greater(condition, 0), a, b), {
    name: "where",
    cases,
    elements: () => ({ condition: Laws.tied }),
    differentiable: ["a", "b"],
    reference: ({ condition, a, b }) => {
      const chosen = pairwise(condition, a, (c, v) => (c > 0 ? v : Number.NaN))
      return pairwise(
        chosen,
        pairwise(condition, b, (c, v) => (c > 0 ? Number.NaN : v)),
        (x, y) => (Number.isNaN(x) ? y : x),
      )
    },
    refused: [{ shapes: { condition: [2], a: [3], b: [2] }, attributes: {}, says: "2 and 3 do not broadcast" }],
  }),
)
