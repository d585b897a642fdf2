import * as fc from "fast-check"
import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { int } from "../support/cases.ts"
import { onEveryDevice } from "../support/devices.ts"

const modes = ["constant", "reflect", "replicate", "circular"] as const
const cases = fc
  .tuple(
    Laws.extents({ rank: [0, 1], most: 2 }),
    int(3, 6),
    int(3, 6),
    fc.array(int(0, 2), { minLength: 4, maxLength: 4 }),
    fc.constantFrom(...modes),
  )
  .map(([lead, h, w, [a = 0, b = 0, c = 0, d = 0], mode]) => ({
    shapes: { x: [...lead, h, w] },
    attributes: { sides: [a, b, c, d] as const, mode },
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
    reference: ({ x }, { sides: [left, right, top, bottom], mode }) => {
      const [h, w] = [x.shape.at(-2) ?? 0, x.shape.at(-1) ?? 0]
      return Laws.tabulate([...x.shape.slice(0, -2), h + top + bottom, w + left + right], (...i) => {
        const y = source((i.at(-2) ?? 0) - top, h, mode)
        const z = source((i.at(-1) ?? 0) - left, w, mode)
        return y === undefined || z === undefined ? 1.5 : Laws.at(x, ...i.slice(0, -2), y, z)
      })
    },
    refused: [
      {
        shapes: { x: [3] },
        attributes: { sides: [1, 1, 1, 1], mode: "constant" },
        says: "expects at least two dimensions",
      },
      {
        shapes: { x: [2, 3] },
        attributes: { sides: [3, 1, 0, 0], mode: "reflect" },
        says: "has a reflect padding of 3",
      },
    ],
  }),
)
