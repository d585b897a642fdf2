import * as fc from "fast-check"
import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { onEveryDevice } from "../support/devices.ts"

const cases = Laws.extents({ rank: [1, 4] }).chain((x) =>
  fc
    .record({ order: fc.shuffledSubarray([...x], { minLength: x.length }), wild: fc.boolean() })
    .map(({ order, wild }) => ({
      shapes: { x },
      attributes: { to: wild ? [...order.slice(0, -1), -1] : order },
    })),
)

onEveryDevice(
  Laws.op(({ x }, { to }) => Ops.reshape(x, to), {
    name: "reshape",
    cases,
    reference: ({ x }, { to }) => {
      const known = to.filter((d) => d >= 0).reduce((n, d) => n * d, 1)
      return { shape: to.map((d) => (d < 0 ? x.data.length / known : d)), data: x.data }
    },
    refused: [{ shapes: { x: [2, 3] }, attributes: { to: [4, -1] }, says: "6 elements do not divide by 4" }],
  }),
)
