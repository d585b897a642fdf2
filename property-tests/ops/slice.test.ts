import * as fc from "fast-check"
import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { int } from "../support/cases.ts"
import { onEveryDevice } from "../support/devices.ts"

const cases = Laws.extents({ rank: [1, 4] }).chain((x) =>
  fc.tuple(int(0, x.length - 1), fc.nat(), fc.nat()).map(([dim, a, b]) => {
    const size = x[dim] ?? 1
    const start = a % size
    return { shapes: { x }, attributes: { dim, start, end: start + 1 + (b % (size - start)) } }
  }),
)

onEveryDevice(
  Laws.op(({ x }, { dim, start, end }) => Ops.slice(x, dim, start, end), {
    name: "slice",
    cases,
    reference: ({ x }, { dim, start, end }) =>
      Laws.tabulate(
        x.shape.map((d, i) => (i === dim ? end - start : d)),
        (...i) => Laws.at(x, ...i.map((v, d) => (d === dim ? v + start : v))),
      ),
    refused: [
      {
        shapes: { x: [2, 3] },
        attributes: { dim: 1, start: 2, end: 5 },
        says: "2 to 5 is no part of dimension 1 of 2×3",
      },
      { shapes: { x: [2, 3] }, attributes: { dim: 3, start: 0, end: 1 }, says: "there is no dimension 3 in 2×3" },
    ],
  }),
)
