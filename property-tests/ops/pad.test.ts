import * as fc from "fast-check"
import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { int } from "../support/cases.ts"
import { onEveryDevice } from "../support/devices.ts"

const modes = ["constant", "reflect", "replicate", "circular"] as const
const cases = fc
  .tuple(
    Laws.extents({ rank: [0, 2], most: 2 }),
    fc.array(fc.tuple(int(3, 6), int(-1, 2), int(-1, 2)), { minLength: 1, maxLength: 3 }),
    fc.constantFrom(...modes),
  )
  .map(([lead, along, mode]) => ({
    shapes: { x: [...lead, ...along.map(([size]) => size)] },
    attributes: { sides: along.toReversed().flatMap(([, before, after]) => [before, after]), mode },
  }))

/** where the element that stands `i` places into a dimension of `n` is read from; none where it is the constant */
const source = (i: number, n: number, mode: (typeof modes)[number]): number | undefined => {
  if (i >= 0 && i < n) return i
  if (mode === "constant") return undefined
  if (mode === "replicate") return i < 0 ? 0 : n - 1
  if (mode === "circular") return (i + n) % n
  return i < 0 ? -i : 2 * (n - 1) - i
}

onEveryDevice(
  Laws.op(({ x }, { sides, mode }) => Ops.pad(x, sides, { mode, value: mode === "constant" ? 1.5 : 0 }), {
    name: "pad",
    cases,
    edges: [
      { shapes: { x: [4] }, attributes: { sides: [-2, -2], mode: "constant" } },
      { shapes: { x: [0, 2] }, attributes: { sides: [0, 0, 1, 1], mode: "constant" } },
    ],
    reference: ({ x }, { sides, mode }) => {
      // what is taken away is not there when the rest is put: a circle goes round what is left
      const edge = (d: number) => {
        const [before = 0, after = 0] = sides.slice(2 * (x.shape.length - 1 - d))
        const [first, last] = [Math.max(0, -before), Math.max(0, -after)]
        return { before: Math.max(0, before), after: Math.max(0, after), first, size: (x.shape[d] ?? 0) - first - last }
      }
      const edges = x.shape.map((_, d) => edge(d))
      return Laws.tabulate(
        edges.map(({ before, after, size }) => before + size + after),
        (...i) => {
          const from = edges.map(({ before, size, first }, d) => {
            const j = source((i[d] ?? 0) - before, size, mode)
            return j === undefined ? undefined : j + first
          })
          const known = from.flatMap((j) => j ?? [])
          return known.length < from.length ? 1.5 : Laws.at(x, ...known)
        },
      )
    },
    refused: [
      {
        shapes: { x: [3] },
        attributes: { sides: [1, 1, 1, 1], mode: "constant" },
        says: "has padding for 2 dimensions but the input gives 3",
      },
      { shapes: { x: [3] }, attributes: { sides: [1], mode: "constant" }, says: "expects pairs of whole numbers" },
      {
        shapes: { x: [2, 3] },
        attributes: { sides: [3, 1, 0, 0], mode: "reflect" },
        says: "has a reflect padding of 3",
      },
    ],
  }),
)
