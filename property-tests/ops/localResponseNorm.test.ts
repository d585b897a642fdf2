import * as fc from "fast-check"
import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { int } from "../support/cases.ts"
import { onEveryDevice } from "../support/devices.ts"

const cases = fc
  .tuple(int(1, 2), int(1, 5), int(1, 3), int(1, 5))
  .map(([n, c, w, size]) => ({ shapes: { x: [n, c, w] }, attributes: { size } }))

onEveryDevice(
  Laws.op(({ x }, { size }) => Ops.localResponseNorm(x, size, { alpha: 0.5, beta: 0.75, k: 2 }), {
    name: "localResponseNorm",
    cases,
    reference: ({ x }, { size }) =>
      Laws.tabulate(x.shape, (n = 0, c = 0, i = 0) => {
        let sum = 0
        const first = c - Math.floor(size / 2)
        for (let k = first; k < first + size; k++) if (k >= 0 && k < (x.shape[1] ?? 0)) sum += Laws.at(x, n, k, i) ** 2
        return Laws.at(x, n, c, i) / (2 + (0.5 * sum) / size) ** 0.75
      }),
  }),
)
