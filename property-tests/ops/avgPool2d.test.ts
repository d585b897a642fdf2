import * as fc from "fast-check"
import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { type Along, count, covered, pooling } from "../support/windows.ts"
import { onEveryDevice } from "../support/devices.ts"

interface Options {
  readonly kernelSize: readonly [number, number]
  readonly stride: readonly [number, number]
  readonly padding: readonly [number, number]
  readonly ceilMode: boolean
  readonly countIncludePad: boolean
  readonly divisorOverride?: number
}
const along = (o: Options, d: 0 | 1): Along => ({
  kernelSize: o.kernelSize[d],
  stride: o.stride[d],
  padding: o.padding[d],
  dilation: 1,
  ceilMode: o.ceilMode,
})

const cases = fc.tuple(pooling, fc.boolean(), fc.boolean()).map(([{ shape, options }, countIncludePad, override]) => ({
  shapes: { x: shape },
  attributes: { ...options, countIncludePad, ...(override ? { divisorOverride: 3 } : {}) },
}))

onEveryDevice(
  Laws.op(({ x }, o: Options) => Ops.avgPool2d(x, o), {
    name: "avgPool2d",
    cases,
    reference: ({ x }, o) => {
      const [h = 0, w = 0] = x.shape.slice(-2)
      const [vertical, horizontal] = [along(o, 0), along(o, 1)]
      return Laws.tabulate([...x.shape.slice(0, -2), count(h, vertical), count(w, horizontal)], (...i) => {
        let [sum, inside, padded] = [0, 0, 0]
        for (const y of covered(i.at(-2) ?? 0, vertical))
          for (const z of covered(i.at(-1) ?? 0, horizontal)) {
            if (y < h + o.padding[0] && z < w + o.padding[1]) padded++
            if (y < 0 || y >= h || z < 0 || z >= w) continue
            inside++
            sum += Laws.at(x, ...i.slice(0, -2), y, z)
          }
        return sum / (o.divisorOverride ?? (o.countIncludePad ? padded : inside))
      })
    },
    refused: [
      {
        shapes: { x: [1, 3, 2, 2] },
        attributes: { kernelSize: [3, 3], stride: [1, 1], padding: [0, 0], ceilMode: false, countIncludePad: true },
        says: "has a 3×3 window that is larger than its 2×2 input",
      },
    ],
  }),
)
