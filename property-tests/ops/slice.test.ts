import * as fc from "fast-check"
import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import type { Tensor } from "../../src/ops/Tensor.ts"
import { dimOf, int } from "../support/cases.ts"
import { onEveryDevice } from "../support/devices.ts"

interface Attributes {
  readonly dim: number
  readonly start: number
  readonly end?: number
  readonly step?: number
}

/** ranges that hold something, from positions that lie inside, count from the end, or lie beyond it */
const cases = Laws.extents({ rank: [1, 4] }).chain((x) =>
  fc
    .tuple(dimOf(x), fc.nat(), fc.nat(), int(1, 3), fc.boolean(), fc.boolean(), fc.boolean())
    .map(([dim, a, b, step, fromEnd, beyond, open]) => {
      const size = x.at(dim) ?? 1
      const start = a % size
      const end = start + 1 + (b % (size - start))
      const attributes: Attributes = {
        dim,
        start: fromEnd ? start - size : start,
        ...(open ? {} : { end: end === size && beyond ? size + 3 : fromEnd && end < size ? end - size : end }),
        step,
      }
      return { shapes: { x }, attributes }
    }),
)

/** the positions that Python's slice takes, one by one */
const taken = (size: number, { start, end = size, step = 1 }: Attributes): ReadonlyArray<number> => {
  const at = (i: number): number => (i < 0 ? i + size : i)
  const all = Array.from({ length: size }, (_, i) => i).filter((i) => i >= at(start) && i < at(end))
  return all.filter((_, k) => k % step === 0)
}

onEveryDevice(
  Laws.op(
    ({ x }, { dim, start, end, step }): Tensor => Ops.slice(x, dim, start, end, step === undefined ? {} : { step }),
    {
      name: "slice",
      cases,
      edges: [
        { shapes: { x: [2, 3] }, attributes: { dim: 1, start: 2, end: 5 } },
        { shapes: { x: [2, 3] }, attributes: { dim: 0, start: -7, end: 1 } },
        { shapes: { x: [2, 3] }, attributes: { dim: 1, start: 2, end: 2 } },
        { shapes: { x: [2, 3] }, attributes: { dim: 1, start: 2, end: 1, step: 2 } },
        { shapes: { x: [4] }, attributes: { dim: 0, start: 9 } },
        { shapes: { x: [0, 2] }, attributes: { dim: 0, start: 0, end: 3 } },
      ],
      reference: ({ x }, attributes) => {
        const dim = attributes.dim < 0 ? attributes.dim + x.shape.length : attributes.dim
        const from = taken(x.shape[dim] ?? 0, attributes)
        return Laws.tabulate(
          x.shape.map((d, i) => (i === dim ? from.length : d)),
          (...i) => Laws.at(x, ...i.map((v, d) => (d === dim ? (from[v] ?? 0) : v))),
        )
      },
      refused: [
        { shapes: { x: [2, 3] }, attributes: { dim: 3, start: 0, end: 1 }, says: "there is no dimension 3 in 2×3" },
        {
          shapes: { x: [2, 3] },
          attributes: { dim: 1, start: 0, end: 3, step: 0 },
          says: "0 is no step of a slice: 1, 2, 3, ...",
        },
        {
          shapes: { x: [2, 3] },
          attributes: { dim: 1, start: 0.5 },
          says: "0.5 is no position in dimension 1 of 2×3",
        },
      ],
    },
  ),
)
