import * as fc from "fast-check"
import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { onEveryDevice } from "../support/devices.ts"

const cases = Laws.extents({ rank: [1, 4] }).chain((x) =>
  fc
    .shuffledSubarray(
      x.map((_, i) => i),
      { minLength: x.length },
    )
    .map((dims) => ({ shapes: { x }, attributes: { dims } })),
)

onEveryDevice(
  Laws.op(({ x }, { dims }) => Ops.permute(x, dims), {
    name: "permute",
    cases,
    edges: [{ shapes: { x: [2, 0] }, attributes: { dims: [1, 0] } }],
    reference: ({ x }, { dims }) =>
      Laws.tabulate(
        dims.map((d) => x.shape[d] ?? 0),
        (...i) => Laws.at(x, ...x.shape.map((_, d) => i[dims.indexOf(d)] ?? 0)),
      ),
    refused: [
      { shapes: { x: [2, 3] }, attributes: { dims: [0, 0] }, says: "[0, 0] is no order of the dimensions of 2×3" },
    ],
  }),
)
