import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { alongOne } from "../support/cases.ts"
import { onEveryDevice } from "../support/devices.ts"

onEveryDevice(
  Laws.op(({ x }, { dim }) => Ops.logSoftmax(x, dim), {
    name: "logSoftmax",
    cases: alongOne,
    reference: ({ x }, { dim }) =>
      Laws.tabulate(x.shape, (...i) => {
        const d = dim < 0 ? dim + x.shape.length : dim
        let sum = 0
        for (let j = 0; j < (x.shape[d] ?? 0); j++) sum += Math.exp(Laws.at(x, ...i.map((v, k) => (k === d ? j : v))))
        return Laws.at(x, ...i) - Math.log(sum)
      }),
    refused: [{ shapes: { x: [2, 3] }, attributes: { dim: 2 }, says: "there is no dimension 2 in 2×3" }],
  }),
)
