import * as fc from "fast-check"
import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { int } from "../support/cases.ts"
import { onEveryDevice } from "../support/devices.ts"

const cases = fc.tuple(int(1, 4), int(1, 5), Laws.extents({ rank: [0, 2], most: 3 })).map(([n, c, rest]) => ({
  shapes: { x: [n, c, ...rest], index: [n, ...rest] },
  attributes: {},
}))

onEveryDevice(
  // the last class picks nothing
  Laws.op(({ x, index }) => Ops.pick(x, index, { ignoreIndex: 4 }), {
    name: "pick",
    cases,
    elements: ({ shapes }) => ({ index: Laws.labels(shapes.x[1] ?? 1) }),
    differentiable: ["x"],
    reference: ({ x, index }) =>
      Laws.tabulate(index.shape, (...i) => {
        const [n = 0, ...rest] = i
        const c = Laws.at(index, ...i)
        return c === 4 ? 0 : Laws.at(x, n, c, ...rest)
      }),
    refused: [{ shapes: { x: [2, 3], index: [3] }, attributes: {}, says: "expects classes of shape 2" }],
  }),
)
