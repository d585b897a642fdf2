import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { onEveryDevice } from "../support/devices.ts"

onEveryDevice(
  Laws.op(({ x }) => Ops.elu(x, { alpha: 1.5 }), {
    name: "elu",
    cases: Laws.shapes({ x: Laws.extents() }),
    edges: [
      { shapes: { x: [0] }, attributes: {} },
      { shapes: { x: [2, 0, 3] }, attributes: {} },
    ],
    reference: ({ x }) => Laws.map(x, (v) => (v > 0 ? v : 1.5 * (Math.exp(v) - 1))),
    elements: () => ({ x: Laws.wide }),
  }),
)
