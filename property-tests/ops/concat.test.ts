import * as fc from "fast-check"
import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { int } from "../support/cases.ts"
import { onEveryDevice } from "../support/devices.ts"

const cases = Laws.extents({ rank: [1, 3] }).chain((a) =>
  fc.tuple(int(0, a.length - 1), int(1, 4)).map(([dim, size]) => ({
    shapes: { a, b: a.map((d, i) => (i === dim ? size : d)) },
    attributes: { dim },
  })),
)

onEveryDevice(
  Laws.op(({ a, b }, { dim }) => Ops.concat([a, b, a], dim), {
    name: "concat",
    cases,
    reference: ({ a, b }, { dim }) => {
      const [n, m] = [a.shape[dim] ?? 0, b.shape[dim] ?? 0]
      return Laws.tabulate(
        a.shape.map((d, i) => (i === dim ? 2 * n + m : d)),
        (...i) => {
          const k = i[dim] ?? 0
          const within = (p: number) => i.map((v, d) => (d === dim ? p : v))
          return k < n
            ? Laws.at(a, ...within(k))
            : k < n + m
              ? Laws.at(b, ...within(k - n))
              : Laws.at(a, ...within(k - n - m))
        },
      )
    },
    refused: [
      { shapes: { a: [2, 3], b: [3, 3] }, attributes: { dim: 1 }, says: "3×3 does not join 2×3 along dimension 1" },
    ],
  }),
)
