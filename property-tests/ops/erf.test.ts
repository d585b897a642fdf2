import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { onEveryDevice } from "../support/devices.ts"
import { erf } from "../support/reference.ts"

onEveryDevice(
  Laws.op(({ x }) => Ops.erf(x), {
    name: "erf",
    cases: Laws.shapes({ x: Laws.extents() }),
    edges: [
      { shapes: { x: [0] }, attributes: {} },
      { shapes: { x: [2, 0, 3] }, attributes: {} },
    ],
    reference: ({ x }) => Laws.map(x, erf),
  }),
)
