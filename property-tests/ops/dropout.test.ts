import * as fc from "fast-check"
import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { key as keyOf, uniform } from "../../src/ops/random.ts"
import type { Tensor } from "../../src/ops/Tensor.ts"
import { onEveryDevice } from "../support/devices.ts"

const cases = fc
  .tuple(Laws.extents(), fc.constantFrom(0.25, 0.5, 1))
  .map(([x, p]) => ({ shapes: { x, key: [4] }, attributes: { p } }))

/** what is kept, from the same numbers in JavaScript: they are of laws of their own */
const kept = (count: number, seed: ReadonlyArray<number>, p: number): ReadonlyArray<boolean> => {
  const random = uniform(seed, 7)
  return Array.from({ length: count }, (_, i) => random(i) >= p)
}

onEveryDevice(
  Laws.op(({ x, key }, { p }) => Ops.dropout(x, { p, key: key as Tensor<readonly [4]>, stream: 7 }), {
    name: "dropout",
    cases,
    elements: () => ({ key: () => fc.nat().map((seed) => keyOf(seed, 1)) }),
    differentiable: ["x"],
    reference: ({ x, key }, { p }) => {
      const own = kept(x.data.length, [...key.data], p)
      return { shape: x.shape, data: x.data.map((v, i) => (own[i] === true && p < 1 ? v / (1 - p) : 0)) }
    },
  }),
)
