import * as fc from "fast-check"
import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import type { Tensor } from "../../src/ops/Tensor.ts"
import { type Along, count, covered, pooling } from "../support/windows.ts"
import { onEveryDevice } from "../support/devices.ts"

interface Options {
  readonly kernelSize: readonly [number, number]
  readonly stride: readonly [number, number]
  readonly padding: readonly [number, number]
  readonly dilation: readonly [number, number]
  readonly ceilMode: boolean
}
const along = (o: Options, d: 0 | 1): Along => ({
  kernelSize: o.kernelSize[d],
  stride: o.stride[d],
  padding: o.padding[d],
  dilation: o.dilation[d],
  ceilMode: o.ceilMode,
})

const cases = fc.tuple(pooling, fc.boolean()).map(([{ shape, options }, dilated]) => ({
  shapes: { x: shape },
  attributes: {
    ...options,
    // a dilated window reaches farther than it is wide
    dilation: [dilated && options.kernelSize[0] === 2 && (shape.at(-2) ?? 0) > 2 ? 2 : 1, 1] as const,
  },
}))

/** the position of the winner of each window: the first of equals, row by row */
const winners = (
  x: Laws.Array64,
  o: Options,
): { readonly shape: Laws.Extents; readonly at: (index: Laws.Extents) => Laws.Extents } => {
  const [h = 0, w = 0] = x.shape.slice(-2)
  const [vertical, horizontal] = [along(o, 0), along(o, 1)]
  return {
    shape: [...x.shape.slice(0, -2), count(h, vertical), count(w, horizontal)],
    at: (index) => {
      const lead = index.slice(0, -2)
      let best: { readonly value: number; readonly at: Laws.Extents } | undefined
      for (const y of covered(index.at(-2) ?? 0, vertical))
        for (const z of covered(index.at(-1) ?? 0, horizontal)) {
          if (y < 0 || y >= h || z < 0 || z >= w) continue
          const value = Laws.at(x, ...lead, y, z)
          if (best === undefined || value > best.value) best = { value, at: [...lead, y, z] }
        }
      return best?.at ?? []
    },
  }
}

const reference = ({ x }: { readonly x: Laws.Array64 }, o: Options): Laws.Array64 => {
  const { shape, at } = winners(x, o)
  return Laws.tabulate(shape, (...i) => Laws.at(x, ...at(i)))
}

onEveryDevice([
  ...Laws.op(({ x }, o: Options) => Ops.maxPool2d(x, o), {
    name: "maxPool2d",
    cases,
    elements: () => ({ x: Laws.distinct }),
    reference,
    refused: [
      {
        shapes: { x: [1, 3, 2, 2] },
        attributes: { kernelSize: [3, 3], stride: [1, 1], padding: [0, 0], dilation: [1, 1], ceilMode: false },
        says: "has a 3×3 window that is larger than its 2×2 input",
      },
      {
        shapes: { x: [3, 2] },
        attributes: { kernelSize: [1, 1], stride: [1, 1], padding: [0, 0], dilation: [1, 1], ceilMode: false },
        says: "expects [N, C, H, W] or [C, H, W] but the input gives 3×2",
      },
    ],
  }),
  // ties: small whole numbers, where most windows have several winners
  ...Laws.op(({ x }, o: Options) => Ops.maxPool2d(x, o), {
    name: "maxPool2d of ties",
    cases,
    elements: () => ({ x: Laws.tied }),
    reference,
    differentiable: "at a tie there is a subgradient only: it is the next law",
  }),
  // the incoming gradient has both signs, and goes to the first of equals and to no other, from each window that covers it
  ...Laws.op(({ x, dy }, o: Options) => gradientOf(x, dy, o), {
    name: "the gradient of maxPool2d at ties",
    cases: cases.map(({ shapes: { x }, attributes }) => {
      const { shape } = winners(
        Laws.tabulate(x, () => 0),
        attributes,
      )
      return { shapes: { x, dy: shape }, attributes }
    }),
    elements: () => ({ x: Laws.tied }),
    differentiable: ["dy"],
    reference: ({ x, dy }, o) => {
      const { shape, at } = winners(x, o)
      const sums = new Map<string, number>()
      Laws.tabulate(shape, (...i) => {
        const key = at(i).join()
        sums.set(key, (sums.get(key) ?? 0) + Laws.at(dy, ...i))
        return 0
      })
      return Laws.tabulate(x.shape, (...i) => sums.get(i.join()) ?? 0)
    },
  }),
  ...Laws.op(({ x, dy }, o: Options) => gradientOf(x, dy, o), {
    name: "the gradient of maxPool2d of a constant",
    cases: fc.constantFrom([4, 4], [5, 3]).map(([h = 4, w = 4]) => {
      const attributes: Options = {
        kernelSize: [2, 2],
        stride: [1, 1],
        padding: [0, 0],
        dilation: [1, 1],
        ceilMode: false,
      }
      return { shapes: { x: [1, 1, h, w], dy: [1, 1, h - 1, w - 1] }, attributes }
    }),
    elements: () => ({ x: (n) => fc.constant(new Float32Array(n).fill(1)) }),
    differentiable: "what it is at a constant is all there is to say",
    runs: 4,
    // every window's winner is its first element
    reference: ({ x, dy }) =>
      Laws.tabulate(x.shape, (n, c, y, z) =>
        (y ?? 0) < (x.shape[2] ?? 0) - 1 && (z ?? 0) < (x.shape[3] ?? 0) - 1
          ? Laws.at(dy, n ?? 0, c ?? 0, y ?? 0, z ?? 0)
          : 0,
      ),
  }),
])

function gradientOf(x: Tensor, dy: Tensor, o: Options): Tensor {
  return Ops.vjp(Ops.maxPool2d(x, o) as Tensor, dy, { x }).x
}
