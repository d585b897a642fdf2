import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { onEveryDevice } from "../support/devices.ts"

onEveryDevice(
  Laws.op(({ x }) => Ops.hardswish(x), {
    name: "hardswish",
    cases: Laws.shapes({ x: Laws.extents() }),
    edges: [
      { shapes: { x: [0] }, attributes: {} },
      { shapes: { x: [2, 0, 3] }, attributes: {} },
    ],
    reference: ({ x }) => Laws.map(x, (v) => (v <= -3 ? 0 : v >= 3 ? v : (v * (v + 3)) / 6)),
    elements: () => ({ x: Laws.wide }),
  }),
)
