import * as fc from "fast-check"
import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { int } from "../support/cases.ts"
import { onEveryDevice } from "../support/devices.ts"

const cases = fc
  .tuple(int(1, 5), int(1, 5), int(1, 7), int(1, 7), fc.constantFrom("nearest", "bilinear", "corners"))
  .map(([h, w, y, z, how]) => ({
    shapes: { x: [1, 2, h, w] },
    attributes: {
      size: [y, z] as const,
      mode: how === "nearest" ? ("nearest" as const) : ("bilinear" as const),
      alignCorners: how === "corners",
    },
  }))

/** where output `o` of `to` falls among `from` elements */
const place = (o: number, from: number, to: number, alignCorners: boolean): number =>
  alignCorners ? (to === 1 ? 0 : (o * (from - 1)) / (to - 1)) : Math.max(0, ((o + 0.5) * from) / to - 0.5)

/** the elements that it lies between, and their shares */
const between = (p: number, size: number) => {
  const first = Math.min(size - 1, Math.floor(p + 1e-9))
  const share = Math.max(0, p - first)
  return [
    { at: first, share: 1 - share },
    { at: Math.min(size - 1, first + 1), share },
  ]
}

onEveryDevice(
  Laws.op(({ x }, options) => Ops.interpolate(x, options), {
    name: "interpolate",
    cases,
    reference: ({ x }, { size: [y, z], mode, alignCorners }) => {
      const [n = 1, c = 1, h = 1, w = 1] = x.shape
      return Laws.tabulate([n, c, y, z], (b = 0, k = 0, i = 0, j = 0) => {
        if (mode === "nearest") return Laws.at(x, b, k, Math.floor((i * h) / y), Math.floor((j * w) / z))
        let sum = 0
        for (const row of between(place(i, h, y, alignCorners), h))
          for (const column of between(place(j, w, z, alignCorners), w))
            sum += row.share * column.share * Laws.at(x, b, k, row.at, column.at)
        return sum
      })
    },
    refused: [
      {
        shapes: { x: [2, 3] },
        attributes: { size: [1, 1], mode: "nearest", alignCorners: false },
        says: "expects [N, C, H, W] but the input gives 2×3",
      },
    ],
  }),
)
