import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { onEveryDevice } from "../support/devices.ts"
import { erf } from "../support/reference.ts"

onEveryDevice(
  Laws.op(({ x }) => Ops.gelu(x), {
    name: "gelu",
    cases: Laws.shapes({ x: Laws.extents() }),
    edges: [
      { shapes: { x: [0] }, attributes: {} },
      { shapes: { x: [2, 0, 3] }, attributes: {} },
    ],
    reference: ({ x }) => Laws.map(x, (v) => (v / 2) * (1 + erf(v / Math.SQRT2))),
  }),
)

onEveryDevice(
  Laws.op(({ x }) => Ops.gelu(x, { approximate: "tanh" }), {
    name: "gelu",
    cases: Laws.shapes({ x: Laws.extents() }),
    reference: ({ x }) =>
      Laws.map(x, (v) => (v / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)))),
  }),
)
