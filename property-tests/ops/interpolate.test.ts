import * as fc from "fast-check"
import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { int } from "../support/cases.ts"
import { onEveryDevice } from "../support/devices.ts"

const sized = fc
  .tuple(int(1, 5), int(1, 5), int(1, 7), int(1, 7), fc.constantFrom("nearest", "bilinear", "corners"))
  .map(([h, w, y, z, how]) => ({
    shapes: { x: [1, 2, h, w] },
    attributes: {
      size: [y, z] as const,
      scaleFactor: undefined,
      mode: how === "nearest" ? ("nearest" as const) : ("bilinear" as const),
      alignCorners: how === "corners",
    },
  }))

const scaled = fc
  .tuple(
    int(2, 5),
    int(2, 5),
    fc.constantFrom(0.5, 0.6, 1, 1.5, 1.7, 2, 3),
    fc.constantFrom(0.5, 0.75, 1.25, 2, 2.3),
    fc.constantFrom("nearest", "bilinear", "corners"),
  )
  .map(([h, w, y, z, how]) => ({
    shapes: { x: [1, 2, h, w] },
    attributes: {
      size: undefined,
      scaleFactor: [y, z] as const,
      mode: how === "nearest" ? ("nearest" as const) : ("bilinear" as const),
      alignCorners: how === "corners",
    },
  }))

interface Attributes {
  readonly size: readonly [number, number] | undefined
  readonly scaleFactor: readonly [number, number] | undefined
  readonly mode: "nearest" | "bilinear"
  readonly alignCorners: boolean
}
const cases: fc.Arbitrary<Laws.Case<"x", Attributes>> = fc.oneof(sized, scaled)

/** where output `o` of `to` falls among `from` elements, with `ratio` of these for each of those */
const place = (o: number, from: number, to: number, ratio: number, alignCorners: boolean): number =>
  alignCorners ? (to === 1 ? 0 : (o * (from - 1)) / (to - 1)) : Math.max(0, (o + 0.5) * ratio - 0.5)

/** the elements that it lies between, and their shares */
const between = (p: number, size: number) => {
  const first = Math.min(size - 1, Math.floor(p + 1e-9))
  const share = Math.max(0, p - first)
  return [
    { at: first, share: 1 - share },
    { at: Math.min(size - 1, first + 1), share },
  ]
}

const nearest = { size: undefined, scaleFactor: undefined, mode: "nearest" as const, alignCorners: false }

onEveryDevice(
  Laws.op(
    ({ x }, { size, scaleFactor, ...options }) =>
      Ops.interpolate(x, {
        ...(size === undefined ? {} : { size }),
        ...(scaleFactor === undefined ? {} : { scaleFactor }),
        ...options,
      }),
    {
      name: "interpolate",
      cases,
      reference: ({ x }, { size, scaleFactor, mode, alignCorners }) => {
        const [n = 1, c = 1, h = 1, w = 1] = x.shape
        const [y, z] = size ?? [Math.floor(h * (scaleFactor?.[0] ?? 1)), Math.floor(w * (scaleFactor?.[1] ?? 1))]
        const [r, q] = scaleFactor === undefined ? [h / y, w / z] : [1 / scaleFactor[0], 1 / scaleFactor[1]]
        const nearest = (o: number, ratio: number, from: number) => Math.min(from - 1, Math.floor(o * ratio + 1e-9))
        return Laws.tabulate([n, c, y, z], (b = 0, k = 0, i = 0, j = 0) => {
          if (mode === "nearest") return Laws.at(x, b, k, nearest(i, r, h), nearest(j, q, w))
          let sum = 0
          for (const row of between(place(i, h, y, r, alignCorners), h))
            for (const column of between(place(j, w, z, q, alignCorners), w))
              sum += row.share * column.share * Laws.at(x, b, k, row.at, column.at)
          return sum
        })
      },
      refused: [
        {
          shapes: { x: [2, 3] },
          attributes: { ...nearest, size: [1, 1] },
          says: "expects [N, C, H, W] but the input gives 2×3",
        },
        { shapes: { x: [1, 1, 2, 3] }, attributes: nearest, says: "needs either a size or a scaleFactor" },
        {
          shapes: { x: [1, 1, 2, 3] },
          attributes: { ...nearest, size: [1, 1], scaleFactor: [1, 1] },
          says: "needs either a size or a scaleFactor",
        },
        {
          shapes: { x: [1, 1, 2, 3] },
          attributes: { ...nearest, size: [1, 1], alignCorners: true },
          says: "aligns corners only where its mode is bilinear",
        },
        {
          shapes: { x: [1, 1, 2, 3] },
          attributes: { ...nearest, scaleFactor: [0.3, 1] },
          says: "gives no image of 0×3: 0 is not a size",
        },
        {
          shapes: { x: [1, 1, 2, 3] },
          attributes: { ...nearest, scaleFactor: [-1, 1] },
          says: "has a wrong scaleFactor: -1",
        },
      ],
    },
  ),
)
