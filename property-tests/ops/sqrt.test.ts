import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { onEveryDevice } from "../support/devices.ts"

onEveryDevice(
  Laws.op(({ x }) => Ops.sqrt(x), {
    name: "sqrt",
    cases: Laws.shapes({ x: Laws.extents() }),
    edges: [
      { shapes: { x: [0] }, attributes: {} },
      { shapes: { x: [2, 0, 3] }, attributes: {} },
    ],
    reference: ({ x }) => Laws.map(x, Math.sqrt),
    elements: () => ({ x: Laws.positive }),
  }),
)
