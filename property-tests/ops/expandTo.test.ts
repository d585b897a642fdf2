import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { onEveryDevice } from "../support/devices.ts"
import { reduced, spread, total } from "../support/reference.ts"

const cases = Laws.broadcastable.map(({ a, b }) => {
  const rank = Math.max(a.length, b.length)
  const to = Array.from({ length: rank }, (_, i) => Math.max(a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1))
  return { shapes: { x: a }, attributes: { to } }
})

onEveryDevice([
  ...Laws.op(({ x }, { to }) => Ops.expandTo(x, to), {
    name: "expandTo",
    cases,
    reference: ({ x }, { to }) => Laws.tabulate(to, (...i) => spread(x, i)),
    refused: [
      { shapes: { x: [2, 3] }, attributes: { to: [3, 3] }, says: "2×3 and 3×3 do not broadcast" },
      { shapes: { x: [2, 3] }, attributes: { to: [3] }, says: "2×3 cannot be repeated to 3" },
    ],
  }),
  // its transpose
  ...Laws.op(({ x }, { to }) => Ops.sumTo(x, to), {
    name: "sumTo",
    cases: cases.map(({ shapes: { x }, attributes: { to } }) => ({ shapes: { x: to }, attributes: { to: x } })),
    reference: ({ x }, { to }) => {
      const lead = x.shape.length - to.length
      const dims = x.shape.map((_, d) => d).filter((d) => d < lead || to[d - lead] === 1)
      return { shape: to, data: reduced(x, { dims }, total).data }
    },
  }),
])
