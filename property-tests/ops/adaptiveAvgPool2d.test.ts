import * as fc from "fast-check"
import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { int } from "../support/cases.ts"
import { onEveryDevice } from "../support/devices.ts"
import { average } from "../support/reference.ts"

const cases = fc
  .tuple(
    fc.constantFrom<ReadonlyArray<number>>([2], [2, 1]),
    int(1, 7),
    int(1, 7),
    fc.option(int(1, 8), { freq: 9 }),
    fc.option(int(1, 8), { freq: 9 }),
  )
  .map(([lead, h, w, y, z]) => ({ shapes: { x: [...lead, h, w] }, attributes: { size: [y, z] as const } }))

/** the elements of bin `o` of `count` */
const bin = (o: number, size: number, count: number): ReadonlyArray<number> => {
  const [start, end] = [Math.floor((o * size) / count), Math.ceil(((o + 1) * size) / count)]
  return Array.from({ length: end - start }, (_, t) => start + t)
}

const of: (xs: ReadonlyArray<number>) => number = average

onEveryDevice(
  Laws.op(({ x }, { size }) => Ops.adaptiveAvgPool2d(x, size), {
    name: "adaptiveAvgPool2d",
    cases,
    reference: ({ x }, { size: asked }) => {
      const [h = 0, w = 0] = x.shape.slice(-2)
      const size = [asked[0] ?? h, asked[1] ?? w] as const
      return Laws.tabulate([...x.shape.slice(0, -2), ...size], (...i) =>
        of(
          bin(i.at(-2) ?? 0, h, size[0]).flatMap((y) =>
            bin(i.at(-1) ?? 0, w, size[1]).map((z) => Laws.at(x, ...i.slice(0, -2), y, z)),
          ),
        ),
      )
    },
    refused: [
      {
        shapes: { x: [3, 2] },
        attributes: { size: [1, 1] },
        says: "expects [N, C, H, W] or [C, H, W] but the input gives 3×2",
      },
    ],
  }),
)
